"""What the pages show is true: their code runs, and prints what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.blocks import DOCS, PAGES, ROOT, blocks_of, name_of
from tests.docs.running import PageRunner
from tests.docs.terminal import Terminal

MOST_NOT_RUN = 6


@pytest.mark.timeout(240)  # the tutorial starts a dozen processes
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_blocks_of_a_page_do_what_the_page_says(page: Path, home: Path, request: pytest.FixtureRequest) -> None:
    PageRunner(page, home, request).run_all()


def test_the_program_of_the_readme_prints_what_the_readme_says(home: Path) -> None:
    [program] = [block.text for block in blocks_of(ROOT / "README.md", "python") if "__main__" in block.text]
    behind = (ROOT / "README.md").read_text().partition(f"{program}```\n")[2]
    (home / "app.py").write_text(program)
    assert Terminal(home).run("python app.py", "") == (0, behind.split("```\n")[1])
    assert Terminal(home).run("backburner work app --exit-on-complete --quiet", "") == (0, "")


def test_few_blocks_are_only_to_be_looked_at() -> None:
    not_run = [block for page in PAGES for block in blocks_of(page, "python", "pycon", "console") if block.not_run]
    assert len(not_run) <= MOST_NOT_RUN


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{name_of(page)} links to {target}"


def test_every_page_is_in_a_table_of_contents() -> None:
    contents = {
        (page.parent / entry).with_suffix(".md").resolve()
        for page in DOCS.rglob("*.md")
        for toctree in re.findall(r"^```\{toctree\}\n(.*?)^```", page.read_text(), re.M | re.S)
        for entry in re.findall(r"^(?:.*<)?([\w/.-]+?)>?$", toctree, re.M)
    }
    assert {page for page in PAGES if page.is_relative_to(DOCS)} - contents == {DOCS / "index.md"}


def test_the_commands_of_the_readme_exist_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.M))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / "README.md").read_text(), re.M))
    assert named
    assert named - targets == set()
