"""What the README says in a few words is so."""

from __future__ import annotations

import re

from backburner.core.options import KNOWN_OPTIONS
from tests.docs.blocks import ROOT

README = (ROOT / "README.md").read_text()


def section(heading: str) -> str:
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", README, re.M | re.S)
    assert found is not None, heading
    return found[1]


def test_it_says_in_five_lines_what_this_is() -> None:
    first = README.split("\n\n")[1]
    assert first.startswith("Background jobs for Python")
    assert first.count("\n") < 5


def test_it_shows_the_work_before_it_explains() -> None:
    headings = re.findall(r"^## (.+)", README, re.M)
    assert headings[:2] == ["See it at work", "Twelve lines"]
    assert "](docs/pictures/demo.svg)" in section("See it at work")


def test_what_it_says_is_not_there_is_not_there() -> None:
    missing = re.findall(r"`(\w+)`", section("When not to use it"))
    assert missing == ["every", "unique", "rate_limit", "after"]
    assert set(missing) & set(KNOWN_OPTIONS) == set()
