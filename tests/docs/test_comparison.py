"""What the comparisons say of us is so: what is not there yet is not, and the rest is as they say."""

from __future__ import annotations

import re
from importlib.metadata import metadata

from backburner.core.options import KNOWN_OPTIONS
from backburner.core.settings import Settings
from tests.docs.blocks import DOCS, ROOT

PAGE = (DOCS / "explanation/comparison.md").read_text()
README = (ROOT / "README.md").read_text()

OPTIONS = {
    "by the clock": "every",
    "one after the other": "after",
    "limits of rate": "rate_limit",
    "a job only once": "unique",
    "results": "result_ttl",
}
"""By the headings of the table. Whoever builds one changes both pages."""


def rows(text: str, first: str) -> dict[str, dict[str, str]]:
    """Return the table that has such a heading: the cells of each row by their headings."""
    found = re.search(rf"^\|[^\n]*\| {re.escape(first)} \|[^\n]*\n(?:\|[^\n]*\n)+", text, re.M)
    assert found is not None, first
    headings, _, *lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in found[0].splitlines()]
    return {cells[0]: dict(zip(headings, cells, strict=True)) for cells in lines}


def test_what_is_not_there_is_said_not_to_be_there() -> None:
    ours = rows(PAGE, "by the clock")["backburner"]
    missing = {heading for heading, option in OPTIONS.items() if option not in KNOWN_OPTIONS}
    assert {heading for heading in OPTIONS if ours[heading] == "**no**"} == missing


def test_the_readme_says_the_same() -> None:
    ours = rows(README, "jobs live in")["backburner 0.1"]
    assert ours["cron, chains, rate limits"] == "**none of them yet**"
    assert not {"every", "after", "rate_limit"} & set(KNOWN_OPTIONS)


def test_a_killed_worker_is_missed_when_they_say() -> None:
    lease = f"{Settings().lease.total_seconds():.0f} s"
    assert f"not heard of for {lease}" in rows(PAGE, "seen")["backburner"]["by default, the job …"]
    assert rows(README, "jobs live in")["backburner 0.1"]["a killed worker's job"] == f"again after {lease}"


def test_version_and_licence_are_ours() -> None:
    ours = metadata("backburner")
    assert ours["Version"].startswith("0.1.")
    assert "backburner is 0.1." in PAGE
    assert rows(PAGE, "licence")["backburner"]["licence"] == ours["License-Expression"]


def test_each_library_is_in_each_table_and_told_when_to_take_it() -> None:
    compared = set(rows(PAGE, "in your transaction")) - {"backburner"}
    assert len(compared) == 8
    for heading in ("by the clock", "licence"):
        assert set(rows(PAGE, heading)) - {"backburner"} == compared
    assert compared <= set(re.findall(r"^- \*\*([^*]+)\*\*, when", PAGE, re.M))
