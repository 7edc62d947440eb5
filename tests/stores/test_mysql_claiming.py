"""What a claim asks a MariaDB or MySQL server for, and when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from backburner.core.job import Job
from backburner.core.lifecycle import Move
from backburner.core.ports import UNSEEN, Settlement, Store
from backburner.stores.open import open_store
from backburner.testing.contract.driving import new_job
from tests.stores.asking import Asking


@pytest.fixture
def store(mysql_url: str) -> Iterator[Store]:
    store = open_store(mysql_url)
    store.migrate()
    yield store
    store.close()


def suspects(store: Store, number: int) -> list[Job[Any]]:
    """Enqueue jobs, and let all of them crash a worker together."""
    jobs = [new_job(store.now()) for _ in range(number)]
    store.run(store.enqueue(jobs))
    _, claimed = Asking(store).claim(number)
    store.run(store.settle([Settlement(job.id, job.lease or 0, Move.RELEASE, crashed=True) for job in claimed.jobs]))
    return jobs


def test_jobs_that_crashed_a_worker_are_claimed_one_by_one_in_one_round_trip_each(store: Store) -> None:
    jobs = suspects(store, 9)
    worker = Asking(store)
    _, claimed = worker.claim(250)
    assert [job.id for job in claimed.jobs] == [jobs[0].id]
    for expected in jobs[1:]:
        sent, claimed = worker.claim(250, claimed.jobs)
        assert (len(sent), [job.id for job in claimed.jobs], claimed.next_due) == (1, [expected.id], UNSEEN)
    _, claimed = worker.claim(250, claimed.jobs)
    assert claimed == ([], [], None)


def test_behind_the_last_of_them_jobs_come_together_again(store: Store) -> None:
    suspect, *_ = suspects(store, 1)
    others = [new_job(store.now()) for _ in range(5)]
    store.run(store.enqueue(others))
    worker = Asking(store)
    _, first = worker.claim(250)
    _, second = worker.claim(250, first.jobs)
    assert [job.id for job in first.jobs] == [suspect.id]
    assert [job.id for job in second.jobs] == [job.id for job in others]
