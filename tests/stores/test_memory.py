"""What only the memory store has."""

from __future__ import annotations

import threading

import pytest

from backburner.core.errors import ConfigurationError
from backburner.core.ports import ClaimRequest, JobFilter, WorkerInfo, lease_of
from backburner.stores.memory.store import MemoryStore
from backburner.stores.sql.sqlite.store import SQLiteStore
from backburner.testing.contract.driving import START, new_job


def test_threads_share_it() -> None:
    store = MemoryStore(clock=lambda: START)
    store.run(store.enqueue([new_job() for _ in range(400)]))
    claimed: list[object] = []

    def work() -> None:
        number = store.run(store.register(WorkerInfo("ann", "host", 1, None, 1)))
        for batch in range(1, 1_000):
            jobs = store.run(store.claim(ClaimRequest(lease_of(number, batch), "ann", 3))).jobs
            claimed.extend(job.id for job in jobs)
            if not jobs:
                return

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 400


def test_it_joins_no_transaction() -> None:
    store = MemoryStore()
    with pytest.raises(ConfigurationError, match="cannot join a transaction"):
        store.run(store.count(JobFilter()), object())


def test_an_operation_of_another_store_is_refused() -> None:
    with pytest.raises(TypeError, match="made by another store"):
        MemoryStore().run(SQLiteStore(":memory:").count(JobFilter()))


def test_an_operation_that_fails_leaves_nothing_behind() -> None:
    store = MemoryStore(clock=lambda: START)
    naive = new_job(run_at=START.replace(tzinfo=None))
    object.__setattr__(naive, "run_at", None)
    with pytest.raises(AttributeError):
        store.run(store.enqueue([new_job(), naive]))
    assert store.run(store.count(JobFilter())) == 0
