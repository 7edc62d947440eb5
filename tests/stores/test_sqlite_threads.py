"""Threads of one process share a store."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic

import pytest

from backburner.core.errors import JobTimeout
from backburner.core.ops import BEGIN, Op, Statement
from backburner.core.ports import ClaimRequest, JobFilter, WorkerInfo, lease_of
from backburner.stores.sql.base import LOOK
from backburner.stores.sql.sqlite.store import SQLiteStore
from backburner.testing.contract.driving import START, new_job

PATIENCE = 20.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(str(tmp_path / "shop.db"), clock=lambda: START)
    store.migrate()
    yield store
    store.close()


class Gate:
    """Holds up an operation in its middle."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def looking(self) -> Op[int]:
        yield LOOK
        reply = yield Statement("SELECT count(*) FROM backburner_jobs")
        self._pass()
        return int(reply.rows[0][0])

    def working(self) -> Op[None]:
        yield BEGIN
        yield Statement("DELETE FROM backburner_queues")
        self._pass()

    def _pass(self) -> None:
        self.reached.set()
        assert self.opened.wait(PATIENCE)


def test_threads_claim_every_job_once(store: SQLiteStore) -> None:
    store.run(store.enqueue([new_job() for _ in range(600)]))
    claimed: list[object] = []

    def work() -> None:
        number = store.run(store.register(WorkerInfo("ann", "host", 1, None, 1)))
        for batch in range(1, 1_000):
            jobs = store.run(store.claim(ClaimRequest(lease_of(number, batch), "ann", 7))).jobs
            claimed.extend(job.id for job in jobs)
            if not jobs:
                return

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 600


def test_a_long_look_keeps_nobody_waiting(store: SQLiteStore) -> None:
    gate = Gate()
    looker = threading.Thread(target=lambda: store.run(gate.looking()))
    looker.start()
    assert gate.reached.wait(PATIENCE)
    store.run(store.enqueue([new_job()]))
    assert len(store.run(store.claim(ClaimRequest(1, "ann", 1))).jobs) == 1
    gate.opened.set()
    looker.join()


def test_an_awaited_long_look_keeps_nobody_waiting(store: SQLiteStore) -> None:
    gate = Gate()

    async def look_and_enqueue() -> int:
        look = asyncio.create_task(store.arun(gate.looking()))
        assert await asyncio.to_thread(gate.reached.wait, PATIENCE)
        await store.arun(store.enqueue([new_job()]))
        gate.opened.set()
        return await look

    assert asyncio.run(look_and_enqueue()) == 0


def test_the_event_loop_goes_on_while_an_operation_waits(store: SQLiteStore) -> None:
    gate = Gate()

    async def work() -> None:
        working = asyncio.create_task(store.arun(gate.working()))
        assert await asyncio.to_thread(gate.reached.wait, PATIENCE)
        assert not working.done()
        gate.opened.set()
        await working

    asyncio.run(work())


def test_a_wake_up_is_not_delayed_by_an_operation(store: SQLiteStore) -> None:
    gate = Gate()
    watch = store.watch()
    worker = threading.Thread(target=lambda: store.run(gate.working()))
    worker.start()
    assert gate.reached.wait(PATIENCE)
    threading.Timer(0.05, watch.wake).start()
    began = monotonic()
    assert watch.wait(PATIENCE) is True
    assert monotonic() - began < PATIENCE / 2
    gate.opened.set()
    worker.join()
    watch.close()


def test_an_operation_that_is_interrupted_is_undone(store: SQLiteStore) -> None:
    def interrupted() -> Op[None]:
        yield BEGIN
        yield Statement("INSERT INTO backburner_queues (name, paused) VALUES ('mail', 1)")
        raise JobTimeout

    with pytest.raises(JobTimeout):
        store.run(interrupted())
    assert store.run(store.queues()) == []
    store.run(store.pause("mail"))
    assert len(store.run(store.queues())) == 1


def test_errors_of_the_database_reach_the_operation(store: SQLiteStore) -> None:
    from backburner.core.errors import SchemaMissing

    def resilient() -> Op[str]:
        try:
            yield Statement("SELECT * FROM backburner_nothing")
        except SchemaMissing:
            reply = yield Statement("SELECT 'went on'")
        return str(reply.rows[0][0])

    assert store.run(resilient()) == "went on"


def test_an_idle_claim_neither_writes_nor_waits_for_writers(store: SQLiteStore, tmp_path: Path) -> None:
    store.run(store.count(JobFilter()))
    with closing(sqlite3.connect(tmp_path / "shop.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert store.run(store.claim(ClaimRequest(1, "ann", 5))) == ([], [], None)
        assert store.run(store.rescue(30)) == []
        other.execute("COMMIT")


def test_a_store_that_was_closed_opens_again(store: SQLiteStore) -> None:
    store.run(store.enqueue([new_job()]))
    for _ in range(2):
        store.close()
    assert store.run(store.count(JobFilter())) == 1
    store.close()
    assert asyncio.run(store.arun(store.count(JobFilter()))) == 1
