"""The first ten minutes of a stranger: what the page of the first steps says, done word by word on an empty machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import DOCS, ROOT, Block, blocks_in, blocks_of
from tests.docs.printed import is_as_shown
from tests.docs.shell import Shell

PAGE = DOCS / "first-steps.md"
SHOWN_REPOSITORY = "https://git.example/backburner.git"
MOST_LINES = 12
OURS = ("PYTHONPATH", "PYTHONHOME", "PYTHONWARNINGS", "PYTEST", "COV", "MAKE", "MFLAGS", "VIRTUAL_ENV", "BACKBURNER")
"""What variables begin with that a stranger does not have."""


def steps() -> dict[str, list[Block]]:
    """Return the blocks under each heading of the page."""
    sections = re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S)
    return {heading: blocks for heading, text in sections if (blocks := list(blocks_in(text)))}


def files_of(page: Path) -> dict[str, str]:
    return {block.file: block.text for block in blocks_of(page, "python") if block.file}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the files as they are now; the one of the project itself is not touched."""
    if not shutil.which("git"):
        pytest.skip("git is not installed: nothing can be cloned")
    repository = tmp_path / "backburner.git"
    git = ["git", f"--git-dir={repository}", f"--work-tree={ROOT}", "-c", "user.name=A", "-c", "user.email=a@a.example"]
    for command in ["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--no-gpg-sign", "--message=all"]:
        subprocess.run([*git, *command], check=True)
    return repository


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A stranger's: without the environment that the tests run in, and printing at once, as to a terminal."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    paths = os.environ.get("PATH", os.defpath).split(os.pathsep)
    path = os.pathsep.join(path for path in paths if Path(path) != Path(sys.executable).parent)
    chosen = {"PATH": path, "DEMO_EXIT": "1", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}
    with Shell(tmp_path, {**environment, **chosen}) as shell:
        yield shell


@pytest.mark.slow
@pytest.mark.timeout(900)  # pip, over some networks
def test_what_the_page_says_works_on_an_empty_machine(
    repository: Path, shell: Shell, record_property: Callable[[str, object], None]
) -> None:
    times = {}
    for step, blocks in steps().items():
        began_at = time.monotonic()
        for block in blocks:
            follow(block._replace(text=block.text.replace(SHOWN_REPOSITORY, str(repository))), shell)
        times[step] = time.monotonic() - began_at
    record_property("the first steps took", ", ".join(f"{step}: {taken:.1f} s" for step, taken in times.items()))


def follow(block: Block, shell: Shell) -> None:
    """Do what a block says: save it as a file, or type its commands and compare what is printed."""
    match block.language:
        case "sh":
            for command in block.text.splitlines():
                code, printed = shell.run(command)
                assert code == 0, f"$ {command}\n{printed}"
        case "python":
            assert block.file is not None
            code, folder = shell.run("pwd")
            (Path(folder.strip()) / block.file).write_text(block.text)
        case "console":
            for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block.text, re.M):
                code, printed = shell.run(command)
                assert code == 0, f"$ {command}\n{printed}"
                assert is_as_shown(shown, printed), f"$ {command}\n{printed}"
        case language:
            raise AssertionError(f"expected sh, python or console, got {language}")


def test_the_job_and_its_test_are_short() -> None:
    lengths = {file: text.count("\n") for file, text in files_of(PAGE).items()}
    assert lengths.keys() == {"app.py", "test_app.py"}
    assert max(lengths.values()) <= MOST_LINES, lengths


def test_the_readme_begins_with_the_same_job() -> None:
    assert files_of(ROOT / "README.md")["app.py"] == files_of(PAGE)["app.py"]


def test_the_page_says_how_long_each_step_took() -> None:
    timed = re.findall(r"^\| (.+?) \| \d+ \|$", PAGE.read_text(), re.M)
    assert len(timed) == 4
    assert timed == list(steps())
