"""What a claim asks a MariaDB or MySQL server for, and when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from backburner.core.job import Job
from backburner.core.lifecycle import Move
from backburner.core.ports import UNSEEN, Claimed, ClaimRequest, Settlement, Store, WorkerInfo, lease_of
from backburner.stores.open import open_store
from backburner.stores.sql.mysql.together import Together
from backburner.testing.contract.driving import new_job


@pytest.fixture
def store(mysql_url: str) -> Iterator[Store]:
    store = open_store(mysql_url)
    store.migrate()
    yield store
    store.close()


class Asking:
    """A worker that counts how often its claims wait for the server."""

    def __init__(self, store: Store, name: str) -> None:
        self.store = store
        self.name = name
        self.number = store.run(store.register(WorkerInfo(name, "host", 1, None, 1)))
        self.batches = 0

    def claim(self, limit: int, ended: list[Job[Any]]) -> tuple[int, Claimed]:
        """Return how often it waited, and what came."""
        self.batches += 1
        request = ClaimRequest(lease_of(self.number, self.batches), self.name, limit)
        settlements = [Settlement(job.id, job.lease or 0, Move.FINISH) for job in ended]
        trips: list[object] = []
        claimed = self.store.run(counting(self.store.claim(request, settlements), trips))
        return len(trips), claimed


def counting(op: Any, trips: list[object]) -> Any:
    """Pass the commands of a claim on, and note those that are sent."""
    reply = None
    while True:
        try:
            command = op.send(reply)
        except StopIteration as stop:
            return stop.value
        if isinstance(command, Together) or hasattr(command, "text"):
            trips.append(command)
        reply = yield command


def suspects(store: Store, number: int) -> list[Job[Any]]:
    """Enqueue jobs, and let all of them crash a worker together."""
    jobs = [new_job(store.now()) for _ in range(number)]
    store.run(store.enqueue(jobs))
    _, claimed = Asking(store, "doomed").claim(number, [])
    store.run(store.settle([Settlement(job.id, job.lease or 0, Move.RELEASE, crashed=True) for job in claimed.jobs]))
    return jobs


def test_jobs_that_crashed_a_worker_are_claimed_one_by_one_in_one_round_trip_each(store: Store) -> None:
    jobs = suspects(store, 9)
    worker = Asking(store, "worker")
    _, claimed = worker.claim(250, [])
    assert [job.id for job in claimed.jobs] == [jobs[0].id]
    for expected in jobs[1:]:
        trips, claimed = worker.claim(250, claimed.jobs)
        assert (trips, [job.id for job in claimed.jobs], claimed.next_due) == (1, [expected.id], UNSEEN)
    _, claimed = worker.claim(250, claimed.jobs)
    assert claimed == ([], [], None)


def test_behind_the_last_of_them_jobs_come_together_again(store: Store) -> None:
    suspect, *_ = suspects(store, 1)
    others = [new_job(store.now()) for _ in range(5)]
    store.run(store.enqueue(others))
    worker = Asking(store, "worker")
    _, first = worker.claim(250, [])
    _, second = worker.claim(250, first.jobs)
    assert [job.id for job in first.jobs] == [suspect.id]
    assert [job.id for job in second.jobs] == [job.id for job in others]
