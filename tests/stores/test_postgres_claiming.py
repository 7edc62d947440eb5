"""What a claim asks a PostgreSQL server for, and when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from backburner.core.job import Job
from backburner.core.lifecycle import Move
from backburner.core.ports import UNSEEN, Claimed, ClaimRequest, Settlement, Store, WorkerInfo, lease_of
from backburner.stores.open import open_store
from backburner.testing.contract.driving import new_job

LOOK, CLAIM = "look", "claim"


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    store = open_store(postgres_url)
    store.migrate()
    yield store
    store.close()


class Asking:
    """A worker that notes what its claims ask for."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.number = store.run(store.register(WorkerInfo("worker", "host", 1, None, 1)))
        self.batches = 0

    def claim(self, limit: int, ended: list[Job[Any]] | None = None) -> tuple[list[str], Claimed]:
        """Return what was asked for, in order, and what came."""
        self.batches += 1
        request = ClaimRequest(lease_of(self.number, self.batches), "worker", limit)
        settlements = [Settlement(job.id, job.lease or 0, Move.FINISH) for job in ended or ()]
        asked: list[str] = []
        claimed = self.store.run(noting(self.store.claim(request, settlements), asked))
        return asked, claimed


def noting(op: Any, asked: list[str]) -> Any:
    """Pass the commands of a claim on, and note which they are."""
    reply = None
    while True:
        try:
            command = op.send(reply)
        except StopIteration as stop:
            return stop.value
        asked.append(CLAIM if "UPDATE" in command.text else LOOK)
        reply = yield command


def test_what_a_look_has_found_is_claimed_and_begun_without_another_look(store: Store) -> None:
    worker = Asking(store)
    assert worker.claim(9) == ([LOOK], Claimed([], [], None))
    job = new_job(store.now())
    store.run(store.enqueue([job]))
    asked, claimed = worker.claim(9)
    assert (asked, [each.id for each in claimed.jobs], claimed.next_due) == ([LOOK, CLAIM], [job.id], UNSEEN)


def test_the_look_that_was_left_out_is_made_with_the_next_claim(store: Store) -> None:
    worker = Asking(store)
    now = store.now()
    later = new_job(now, run_at=now + timedelta(hours=1))
    store.run(store.enqueue([new_job(now), later]))
    _, claimed = worker.claim(9)
    asked, claimed = worker.claim(9, claimed.jobs)
    assert asked[0] == LOOK
    assert (claimed.jobs, claimed.lost, claimed.next_due) == ([], [], later.run_at)


def test_a_claim_from_where_the_last_one_ended_looks_before_it_says_that_these_are_all(store: Store) -> None:
    """In the meantime another process may have enqueued a job that comes first."""
    worker = Asking(store)
    jobs = [new_job(store.now()) for _ in range(3)]
    store.run(store.enqueue(jobs))
    _, claimed = worker.claim(2)
    asked, claimed = worker.claim(2, claimed.jobs)
    assert (asked, [each.id for each in claimed.jobs]) == ([CLAIM, LOOK], [jobs[2].id])
    assert claimed.next_due is None
