"""A JobTimeout may be raised nearly anywhere in the store: afterwards it works, and nothing is half done."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backburner.core.lifecycle import Move, State
from backburner.core.ops import Op
from backburner.core.ports import ClaimRequest, JobFilter, Settlement, WorkerInfo, lease_of
from backburner.stores.sql.sqlite.store import SQLiteStore
from backburner.testing.contract.driving import EVERY_STATE, START, new_job
from tests.stores.interruptions import Interruption, points

HELD = lease_of(1, 1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(str(tmp_path / "shop.db"), clock=lambda: START)
    store.run(store.register(WorkerInfo("ann", "host", 1, None, 1)))
    yield store
    store.close()


@pytest.fixture(autouse=True)
def small_heap() -> Iterator[None]:
    """Let the garbage collector, which runs after each interruption, pass over what other tests have left behind."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def interrupted_at(point: int, store: SQLiteStore, op: Op[Any]) -> bool:
    """Run an operation, interrupted at that point; return whether the operation came so far."""
    was_raised = Interruption(point, "stores").reaches(lambda: store.run(op))
    assert not store._file.working.lock.locked()
    assert not store._file.looking.lock.locked()
    return was_raised


def test_enqueueing(store: SQLiteStore) -> None:
    def check(point: int) -> bool:
        was_raised = interrupted_at(point, store, store.enqueue([new_job(), new_job()]))
        assert store.run(store.delete_all(JobFilter())) in (0, 2)
        return was_raised

    assert points(check) > 30


def test_claiming_and_settling(store: SQLiteStore) -> None:
    def check(point: int) -> bool:
        store.run(store.delete_all(EVERY_STATE))
        first, second = new_job(), new_job()
        store.run(store.enqueue([first]))
        store.run(store.claim_one(first.id, HELD, "ann"))
        store.run(store.enqueue([second]))
        request = ClaimRequest(lease_of(1, 2), "ann", 5)
        was_raised = interrupted_at(point, store, store.claim(request, [Settlement(first.id, HELD, Move.FINISH)]))
        states = [job.state for job in store.run(store.find(EVERY_STATE))]
        assert states in ([State.RUNNING, State.QUEUED], [State.SUCCEEDED, State.RUNNING])
        store.run(
            store.settle([Settlement(first.id, HELD, Move.FINISH), Settlement(second.id, request.lease, Move.FINISH)])
        )
        return was_raised

    assert points(check) > 60


def test_looking(store: SQLiteStore) -> None:
    store.run(store.enqueue([new_job()]))

    def check(point: int) -> bool:
        was_raised = interrupted_at(point, store, store.count(JobFilter()))
        assert store.run(store.count(JobFilter())) == 1
        return was_raised

    assert points(check) > 20


def test_the_first_use(tmp_path: Path) -> None:
    def check(point: int) -> bool:
        store = SQLiteStore(str(tmp_path / f"{point}.db"), clock=lambda: START)
        was_raised = interrupted_at(point, store, store.enqueue([new_job()]))
        assert store.run(store.count(JobFilter())) in (0, 1)
        store.close()
        return was_raised

    assert points(check) > 100
    with warnings.catch_warnings():
        # Interrupted between being opened and being assigned, a connection is closed by nobody but the collector.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
