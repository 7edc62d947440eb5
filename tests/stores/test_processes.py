"""Several processes share a database: nothing is done twice, nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backburner.core.lifecycle import State
from backburner.core.ports import JobFilter, Store
from backburner.core.times import system_now
from backburner.stores.open import open_store
from backburner.testing.contract.driving import EVERY_STATE, new_job

ROOT = Path(__file__).parents[2]
PATIENCE = 50.0
JOBS = 20_000

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(params=["sqlite", "postgres", "mysql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/shop.db"
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = open_store(url)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def start(url: str) -> Iterator[Start]:
    running: list[subprocess.Popen[str]] = []

    def start_one(verb: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.stores.process", verb, url, *arguments]
        pipe = subprocess.PIPE
        running.append(subprocess.Popen(command, cwd=ROOT, text=True, stdin=pipe, stdout=pipe, stderr=pipe))
        return running[-1]

    yield start_one
    for process in running:
        process.kill()
        process.communicate()


def output_of(process: subprocess.Popen[str]) -> str:
    output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (0, "")
    return output


def test_four_processes_do_every_job_once(store: Store, start: Start) -> None:
    now = system_now()
    jobs = [new_job(now, queue=f"queue{number % 3}", priority=number % 2) for number in range(JOBS)]
    store.run(store.enqueue(jobs))
    workers = [start("work", str(seed)) for seed in range(4)]
    done = Counter(job_id for worker in workers for job_id in output_of(worker).split())
    assert set(done.values()) == {1}
    assert set(done) == {str(job.id) for job in jobs}
    assert store.run(store.count(EVERY_STATE)) == JOBS
    assert store.run(store.count(JobFilter(states=frozenset({State.SUCCEEDED})))) == JOBS


def test_four_processes_may_make_the_tables_at_once(url: str, start: Start) -> None:
    outputs = sorted(output_of(process) for process in [start("migrate") for _ in range(4)])
    assert outputs == ["['0001_jobs']\n", "[]\n", "[]\n", "[]\n"]


def test_a_writer_that_is_killed_loses_nothing_that_it_had_stored(store: Store, start: Start) -> None:
    stored: set[str] = set()
    for _ in range(5):
        writer = start("enqueue_for_ever")
        assert writer.stdout is not None
        for _ in range(40):
            stored.update(writer.stdout.readline().split())
        writer.kill()
        stored.update(job_id for line in writer.stdout if line.endswith("\n") for job_id in line.split())
        writer.wait(PATIENCE)
    found = store.run(store.find(JobFilter(), limit=1_000_000))
    assert stored <= {str(job.id) for job in found}
    pairs = Counter(job.queue for job in found)
    assert len(pairs) == 5
    assert [number for number in pairs.values() if number % 2] == []
