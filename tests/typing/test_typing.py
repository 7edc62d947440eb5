"""What type checkers find in a program that is right, and in one that is wrong."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.typing import right

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

RIGHT, WRONG = HERE / "right.py", HERE / "wrong.py"

pytestmark = pytest.mark.timeout(300)  # the checkers read the whole package, without a cache in CI

Errors = dict[int, set[str]]
"""The codes of errors by line."""


def run(*command: str) -> str:
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def mypy(file: Path) -> Errors:
    found: Errors = defaultdict(set)
    for name, line, code in re.findall(r"^(.+?):(\d+): error: .* +\[(\S+)\]$", run("mypy", str(file)), re.MULTILINE):
        assert file.samefile(ROOT / name), f"an error outside of {file.name}: {name}:{line}"
        found[int(line)].add(code)
    return dict(found)


def pyright(file: Path) -> Errors:
    found: Errors = defaultdict(set)
    for entry in json.loads(run("pyright", "--outputjson", str(file)))["generalDiagnostics"]:
        found[entry["range"]["start"]["line"] + 1].add(entry.get("rule", entry["message"]))
    return dict(found)


def pyrefly(file: Path) -> Errors:
    found: Errors = defaultdict(set)
    for entry in json.loads(run("pyrefly", "check", "--output-format", "json", str(file)))["errors"]:
        found[entry["line"]].add(entry["name"])
    return dict(found)


def expected(file: Path, part: int) -> Errors:
    lines = enumerate(file.read_text("utf-8").splitlines(), start=1)
    marked = [(number, line.partition("  # E: ")[2]) for number, line in lines if "  # E: " in line]
    return {number: {codes.split(" | ")[part].strip()} for number, codes in marked}


def test_the_right_program_runs():
    right.main()


@pytest.mark.parametrize("check", [mypy, pyright, pyrefly])
def test_the_right_program_has_no_errors(check):
    assert check(RIGHT) == {}


@pytest.mark.parametrize(("check", "part"), [(mypy, 0), (pyright, 1), (pyrefly, 2)])
def test_each_wrong_line_is_found_and_no_other(check, part):
    assert len(expected(WRONG, part)) >= 40
    assert check(WRONG) == expected(WRONG, part)
