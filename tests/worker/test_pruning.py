"""Workers remove history that is older than it is to be kept."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from backburner import Backburner, State
from backburner.core.lifecycle import FINISHED_STATES
from backburner.core.ports import JobFilter
from backburner.core.times import system_now
from backburner.stores.memory.store import MemoryStore
from backburner.testing.contract.driving import START, ManualClock, new_job
from backburner.worker.upkeep import prune as pruning
from backburner.worker.upkeep.prune import CHUNK, prune
from tests.worker.jobs import note

SOON = 30.0

HISTORY = JobFilter(states=FINISHED_STATES)


def cancelled(store: MemoryStore, number: int) -> None:
    jobs = [new_job() for _ in range(number)]
    store.run(store.enqueue(jobs))
    for job in jobs:
        store.run(store.cancel(job.id))


def test_what_is_older_goes_in_small_parts_and_what_is_younger_stays() -> None:
    clock = ManualClock(START)
    store = MemoryStore(clock=clock)
    cancelled(store, CHUNK + 1)
    clock.advance(100)
    cancelled(store, 3)
    assert prune(store, timedelta(seconds=100)) == 0
    clock.advance(1)
    assert prune(store, timedelta(seconds=100)) == CHUNK + 1
    assert store.run(store.count(HISTORY)) == 3
    assert prune(store, timedelta(0)) == 3


def test_a_worker_does_it_while_it_is_idle(file_app: Backburner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "EVERY", 0.01)
    app = file_app
    with Backburner(app.store.url, allow=["tests"], clock=lambda: system_now() - timedelta(days=2)) as earlier:
        earlier.jobs.cancel(earlier.delay(note)("old"))
    assert app.jobs.count(state=State.CANCELLED) == 1
    kept = app.delay(note)("kept")
    worker = app.worker(sleep_delay=0.01)
    is_gone = threading.Event()
    app.after("loop")(lambda worker: is_gone.set() if not app.jobs.count(state=State.CANCELLED) else None)
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert is_gone.wait(SOON)
    worker.stop()
    thread.join(SOON)
    assert app.jobs.get(kept.id).state is State.SUCCEEDED
