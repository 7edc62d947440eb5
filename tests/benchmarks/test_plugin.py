"""`python -m benchmarks.plugin`: that it runs. Figures are not judged here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.measure import Rates
from benchmarks.plugin.suites import suite
from benchmarks.results import HEADINGS
from tests.benchmarks.test_benchmarks import ROOT, table

MEASURED = [
    ("plugin, collection of 3 tests", r"[+-]\d+\.\d ms"),
    ("3 inline jobs in a test, memory", r"\d+ ms"),
    ("3 inline jobs in a test, SQLite in memory", r"\d+ ms"),
    ("3 jobs drained in a test, memory", r"\d+ ms"),
    ("3 jobs drained in a test, SQLite in memory", r"\d+ ms"),
    ("3 tests with an inline job each, memory", r"[+-]\d+ ms"),
    ("3 tests with an inline job each, SQLite in memory", r"[+-]\d+ ms"),
]


@pytest.mark.timeout(150)
def test_every_measure_gives_its_line() -> None:
    command = [sys.executable, "-m", "benchmarks.plugin", "--count", "3", "--turns", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    headings, *rows = table(done.stdout)
    assert headings == list(HEADINGS)
    for row, (name, value) in zip(rows, MEASURED, strict=True):
        assert row[1] == name
        assert re.fullmatch(value, row[2])
    assert done.returncode == (1 if "NO" in [row[-1] for row in rows] else 0)
    assert done.stderr.splitlines()[-1].startswith("4 passed in ")


def test_tests_that_fail_are_not_measured() -> None:
    code = "from benchmarks.plugin.in_a_child import run_pytest; run_pytest('nowhere.py', plugins=[])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "RuntimeError: expected pytest to pass, got exit code 4 of nowhere.py" in done.stderr


def test_a_suite_has_so_many_tests() -> None:
    with suite(120, head="import sys\n", body="assert sys") as folder:
        files = sorted(folder.glob("test_*.py"))
        assert [text.count("def test_") for text in map(Path.read_text, files)] == [50, 20, 50]
        assert all(text.startswith("import sys\n") for text in map(Path.read_text, files))


def test_what_is_added_is_the_difference_of_neighbours() -> None:
    ours, floor = Rates([12.0, 105.0, 13.0]), Rates([10.0, 100.0, 1.0])
    assert ours.beyond(floor) == 5.0
