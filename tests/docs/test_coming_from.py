"""The pages for those who know another library promise what there is, and say "not yet" of what there is not."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest

import backburner
from backburner import Backburner, Job, testing
from backburner.cli.catalogue import SUMMARIES
from backburner.cli.parsing import parse
from backburner.core.options import KNOWN_OPTIONS
from backburner.inspection import Jobs
from tests.docs.blocks import DOCS, blocks_of, name_of

COMING_FROM = sorted((DOCS / "coming-from").glob("*.md"))

NOT_YET = {"unique", "concurrency_key", "rate_limit", "expires_at", "after", "every", "result_ttl"}
"""Options of the future. Whoever builds one looks for it on these pages."""

NAMES: dict[str, type | ModuleType] = {
    r"\bjobs\.(\w+)": Jobs,
    r"\btesting\.(\w+)": testing,
    r"\braise (\w+)": backburner,
    r"`(Retry|Snooze|Cancel|Fail|enqueue|enqueue_all|bulk|delay|job|handle_asynchronously|current_job)\b": backburner,
    r"\bcurrent_job\(\)\.(\w+)": Job,
    r"\bapp\.(\w+)\(": Backburner,
}
"""What stands in the tables as ours, and where it has to be."""


def test_there_is_a_page_for_each() -> None:
    names = ["celery", "delayed-job", "django-tasks", "dramatiq", "huey", "rq"]
    assert [page.stem for page in COMING_FROM] == names


@pytest.mark.parametrize("page", COMING_FROM, ids=name_of)
def test_each_runs_code_and_shows_what_it_does(page: Path) -> None:
    assert [block.not_run for block in blocks_of(page, "python")] != []
    assert [block.not_run for block in blocks_of(page, "python", "pycon") if block.not_run] == []
    assert list(blocks_of(page, "pycon")) != []


@pytest.mark.parametrize("page", COMING_FROM, ids=name_of)
def test_the_commands_of_the_tables_exist(page: Path) -> None:
    commands = re.findall(r"`backburner (\w[^`]*)`", page.read_text())
    assert commands or page.stem == "django-tasks"
    for command in commands:
        parse(shlex.split(command))


@pytest.mark.parametrize("page", COMING_FROM, ids=name_of)
def test_the_names_of_the_tables_exist(page: Path) -> None:
    cells = [row.split(" | ")[1] for row in page.read_text().splitlines() if row.startswith("| ")]
    ours = " ".join(re.findall(r"`[^`]+`", " ".join(cells)))
    named = {(owner, name) for pattern, owner in NAMES.items() for name in re.findall(pattern, ours)}
    assert len(named) >= 5
    assert [f"{owner.__name__}.{name}" for owner, name in named if not hasattr(owner, name)] == []
    flags = re.findall(r"`(--[\w-]+)", ours)
    parse(["work", *(word for flag in flags for word in (flag, "2"))])


@pytest.mark.parametrize("page", COMING_FROM, ids=name_of)
def test_what_is_not_there_yet_is_called_so(page: Path) -> None:
    missing = page.read_text().partition("## What there is not")[2]
    assert "not yet" in missing
    assert NOT_YET.isdisjoint(KNOWN_OPTIONS)
    assert ("web",) not in SUMMARIES
