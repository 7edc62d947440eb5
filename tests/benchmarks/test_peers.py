"""`python -m benchmarks.peers`: that it measures ours and says loudly who is not there. Figures are not judged."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.peers.__main__ import HEADINGS
from benchmarks.peers.catalogue import OURS, PEERS
from benchmarks.peers.enqueuing import WARM_UP, Timed
from benchmarks.peers.killed import seconds_until_again
from benchmarks.peers.places import DURABILITY, Places
from benchmarks.peers.turn import WorkerFailed, take_turn

ROOT = Path(__file__).parents[2]

RATE = r"[\d,]+/s"


@pytest.fixture
def places() -> Iterator[Places]:
    with Places() as places:
        yield places


def run(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.peers", *args]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_ours_is_measured_and_who_is_not_installed_is_a_loud_line() -> None:
    done = run("--peer", "backburner-sqlite", "--peer", "celery-redis", "--jobs", "20", "--turns", "2")
    headings, _, ours, theirs = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert headings == f"| {' | '.join(HEADINGS)} |"
    assert re.fullmatch(rf"\| \*\*backburner-sqlite\*\* \| [\d.]+ \| sqlite \| {RATE} \| {RATE} \| .+ \|", ours)
    assert theirs.startswith("| celery-redis |  | redis | NOT MEASURED: NotInstalled: celery is not installed.")
    assert done.stderr.count("NOT MEASURED: celery-redis: NotInstalled: ") == 1
    assert len(re.findall(rf"enqueue {RATE}, drain {RATE}\n", done.stdout)) == 2  # turns
    assert done.returncode == 1


def test_a_name_that_is_not_in_the_list_is_refused() -> None:
    done = run("--peer", "celary")
    assert (done.returncode, done.stdout) == (2, "")
    assert "invalid choice: 'celary'" in done.stderr


def test_a_worker_that_ends_is_told_with_its_last_words(places: Places) -> None:
    ending = replace(PEERS["backburner-sqlite"], worker="backburner work --no-such-option")
    with pytest.raises(WorkerFailed, match=r"(?s)the worker ended with 2: .*--no-such-option"):
        take_turn(ending, places, jobs=1, seconds=5)


def test_an_enqueuer_that_fails_is_told_with_its_last_words(places: Places) -> None:
    missing = replace(PEERS["backburner-sqlite"], module="with_nothing")
    with pytest.raises(WorkerFailed, match=r"(?s)enqueueing ended with 1: .*with_nothing"):
        take_turn(missing, places, jobs=1, seconds=5)


def test_a_job_whose_worker_was_killed_is_seen_to_begin_again(places: Places) -> None:
    missed_soon = replace(PEERS["backburner-sqlite"], worker="backburner work --app tests.benchmarks.short_lease:app")
    assert seconds_until_again(missed_soon, places, wait=60) is not None


def test_a_job_that_does_not_begin_again_in_time_is_told(places: Places) -> None:
    assert seconds_until_again(PEERS["backburner-sqlite"], places, wait=1) is None


def test_the_jobs_of_the_warm_up_are_not_counted() -> None:
    numbers = Timed(5, seconds=60)
    assert len(list(numbers)) == WARM_UP + 5
    assert numbers.count == 5
    assert numbers.seconds > 0


def test_what_takes_too_long_is_cut_short() -> None:
    numbers = Timed(1_000_000_000, seconds=0.01)
    assert 0 < len(list(numbers)) - WARM_UP == numbers.count < 1_000_000_000


def test_each_has_its_file_its_place_and_its_package_in_the_group() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    installed = {re.split(r"[\[>;]", line)[0] for line in groups["peers"]}
    for peer in PEERS.values():
        assert (ROOT / f"benchmarks/peers/{peer.module}.py").exists(), peer.name
        assert peer.place in {*DURABILITY, "postgres"}, peer.name
        assert peer.package == OURS or installed & {peer.package, f"{peer.package}-redis"}, peer.name
