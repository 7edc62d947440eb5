"""`python -m benchmarks`: that it runs, and says loudly what it could not measure. Figures are not judged here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.measure import Rates
from benchmarks.results import HEADINGS, Result, print_table, rate_line
from benchmarks.targets import POSTGRES, SQLITE

ROOT = Path(__file__).parents[2]

QUICK = ("enqueue", "transaction", "session", "bulk", "drain", "single", "depth", "pinned", "memory", "once")
"""Those that take no longer when there is little to measure."""

MEASURED = [
    "enqueue, one by one",
    "enqueue, in the user's transaction",
    "enqueue, in a session of SQLAlchemy",
    "enqueue, in bulk",
    "drain, 1 process",
    "drain, 1 process, job objects with 3 hooks",
    "drain, 2 processes",
    "drain, 1 job per claim",
    "drain, 100 other jobs ready",
    "drain, 100 other jobs of the future",
    "drain, 100 other jobs failed",
    "drain, 100 other jobs of another queue",
    "drain beside an old transaction, last tenth of 100",
    "memory, 100 jobs",
    "4 processes, 100 jobs",
]


def run(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *args]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False
    )


def table(text: str) -> list[list[str]]:
    """Return the cells of a table, those of the headings first."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in (lines[0], *lines[2:])]


def test_django_is_measured_in_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "benchmarks.django_rows", "--count", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    assert re.fullmatch(r"SQLite: [\d,]+/s, \d+\.\d\d × the time of bulk_create \([\d,]+/s\)\n", done.stdout)


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_every_workload_gives_its_lines() -> None:
    done = run("--store", "sqlite", "--scale", "0.0001", *QUICK)
    assert done.stderr == ""
    headings, *rows = table(done.stdout)
    assert headings == list(HEADINGS)
    assert [row[1] for row in rows] == MEASURED
    assert {row[0] for row in rows} == {"SQLite"}
    assert rows[-1][2].startswith("0 lost, 0 twice, ")
    assert done.returncode == (1 if "NO" in [row[-1] for row in rows] else 0)


def test_a_server_that_cannot_be_had_is_a_line_and_counts_as_missed() -> None:
    none = {"BACKBURNER_TEST_POSTGRES_URL": "none", "BACKBURNER_TEST_MYSQL_URL": "none"}
    done = run("--store", "postgres", "--store", "mariadb", "once", **none)
    assert done.returncode == 1
    assert [(row[0], row[1], row[2][:13], row[-1]) for row in table(done.stdout)[1:]] == [
        ("PostgreSQL", "all", "NOT MEASURED:", "NO"),
        ("MariaDB", "all", "NOT MEASURED:", "NO"),
    ]
    assert done.stderr.count("NOT MEASURED: all: ServerMissing: No ") == 2


def test_a_server_that_does_not_answer_costs_no_other_line() -> None:
    urls = ("--url", "postgresql://ann:secret@127.0.0.1:1/", "--url", "mysql://ann:secret@127.0.0.1:1/")
    done = run(*urls, "--store", "all", "--scale", "0.0001", "once")
    assert done.returncode == 1
    assert [(row[0], row[1]) for row in table(done.stdout)[1:]] == [
        ("SQLite", "4 processes, 100 jobs"),
        ("PostgreSQL", "all"),
        ("MariaDB", "all"),
    ]
    assert done.stderr.count("NOT MEASURED: all: OperationalError: ") == 2
    assert "secret" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("drian",), "unknown workload drian: expected any of enqueue, transaction, "),
        (("--url", "redis://here/"), "expected the URL of a PostgreSQL or MariaDB server, got one that begins with re"),
    ],
)
def test_wrong_use_is_refused(args: tuple[str, ...], message: str) -> None:
    done = run(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_rates_of_targets_are_scaled_and_nothing_else_is() -> None:
    fast = POSTGRES.at(1.5)
    assert fast.drain_rate is not None
    assert (fast.drain_rate.number, fast.drain_rate.text) == (27_000, "≥ 27,000/s (18,000 × 1.50)")
    assert (fast.drain_share, fast.p99, fast.async_rate) == (POSTGRES.drain_share, POSTGRES.p99, POSTGRES.async_rate)


def test_turns_are_compared_with_those_beside_them() -> None:
    slow_twice, slow_once = Rates([5.0, 5.0, 50.0]), Rates([10.0, 100.0, 100.0])
    assert (slow_twice.median, slow_once.median) == (5.0, 100.0)
    assert slow_twice.in_relation_to(slow_once) == 0.5


def test_a_line_is_met_when_all_of_its_goals_are(capsys: pytest.CaptureFixture[str]) -> None:
    floors = {"bare": Rates([20_000.0]), "with history": Rates([10_000.0])}
    goals = {"share": SQLITE.enqueue_share, "at_least": SQLITE.drain_rate}
    results = [rate_line("drain", Rates([ours]), floors, **goals) for ours in (19_000.0, 21_000.0)]
    assert [result.is_met for result in results] == [False, True]
    print_table([*results, Result("other", "1")])
    rows = table(capsys.readouterr().out)
    assert rows[1][2:] == ["19,000/s", "20,000/s: bare; 10,000/s: with history", "95%", "≥ 20,000/s, ≥ 50 %", "NO"]
    assert [row[-1] for row in rows[2:]] == ["yes", ""]
