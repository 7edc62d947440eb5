"""`examples/work/calculations.py`: in a process of its own, whose progress is seen, and which ends when told to."""

from __future__ import annotations

import time
from pathlib import Path

from backburner import State
from examples.work.calculations import CHUNK, count_primes
from tests.examples.work import Work
from tests.worker.supervision.support import SOON, is_alive, kill, until, worker_pids

FOREVER = 10**10
"""Below this number, primes are counted for minutes."""


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_the_primes_are_counted_right_and_once(work: Work) -> None:
    jobs = {below: count_primes.delay(below) for below in (1, 2, 3, 100, CHUNK, CHUNK + 4, 10 * CHUNK)}
    again = count_primes.delay(100)
    with work.worker():
        done = {below: work.ended(job) for below, job in jobs.items()}
        assert work.ended(again).state is State.SUCCEEDED
    assert {job.state for job in done.values()} == {State.SUCCEEDED}
    counted = dict(work.rows("SELECT below, primes FROM counts"))
    assert counted == {1: 0, 2: 0, 3: 1, 100: 25, CHUNK: 78498, CHUNK + 4: 78499, 10 * CHUNK: 664579}
    assert done[100].progress == (100, 100, "25 primes")


def test_it_shows_how_far_it_is_and_stops_when_it_is_cancelled(work: Work) -> None:
    job = count_primes.delay(FOREVER)
    with work.worker() as supervisor:
        [worker] = worker_pids(supervisor, 1)
        until(lambda: work.again(job).progress, "there is progress")
        [calculating] = children(worker)
        work.app.jobs.cancel(job.id)
        asked_at = time.monotonic()
        cancelled = work.ended(job)
        assert time.monotonic() - asked_at < SOON / 2
        until(lambda: not is_alive(calculating), "its process is gone")
        assert is_alive(worker)
    assert cancelled.state is State.CANCELLED
    assert cancelled.progress is not None
    assert cancelled.progress.total == FOREVER
    assert work.rows("SELECT * FROM counts") == []


def test_a_process_that_is_killed_takes_no_worker_along(work: Work) -> None:
    job = count_primes.delay(FOREVER)
    with work.worker() as supervisor:
        [worker] = worker_pids(supervisor, 1)
        until(lambda: work.again(job).progress, "there is progress")
        kill(children(worker)[0])
        until(lambda: work.again(job).crashes == 1, "the crash is counted")
        assert work.again(job).attempts == 0
        assert is_alive(worker)
        work.app.jobs.cancel(job.id)
        assert work.ended(job).state is State.CANCELLED
