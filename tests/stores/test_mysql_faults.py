"""Replies that are lost, servers that die: what was stored is stored once, and what was claimed is not stuck."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from backburner.authoring.ids import UuidMaker
from backburner.core.errors import StoreUnavailable
from backburner.core.lifecycle import Move, State
from backburner.core.ops import BEGIN, Op, Statement
from backburner.core.ports import ClaimRequest, JobFilter, Settlement, WorkerInfo, lease_of
from backburner.core.times import system_now
from backburner.stores.open import open_store
from backburner.stores.sql.mysql.store import MySQLStore
from backburner.testing.contract.driving import EVERY_STATE, new_job
from tests.servers.mysql import MySQLServer
from tests.servers.proxy import Loss, Proxy

LONG = 20.0
COMMIT = b"COMMIT"
END_OF_COMMIT = b"\x00\x00\x00\x02\x00\x00\x00"
"""A server's OK to a statement that changed nothing itself, when no transaction is open and no other reply follows."""

next_id = UuidMaker()  # such as applications make, not those of the tests, which look old


@pytest.fixture
def proxy(mysql_url: str, proxy_to: Callable[[str], Proxy]) -> Proxy:
    return proxy_to(mysql_url)


@pytest.fixture
def store(mysql_url: str, proxy: Proxy) -> Iterator[MySQLStore]:
    """A store whose connections may be tampered with; it has one."""
    store = open_store(f"{proxy.legible_url}&timeout=5")
    assert isinstance(store, MySQLStore)
    store.migrate()
    store.run(store.count(JobFilter()))
    yield store
    store.close()


@pytest.fixture
def eyes(mysql_url: str) -> Iterator[MySQLStore]:
    """A store on the same database that nobody tampers with."""
    store = open_store(mysql_url)
    assert isinstance(store, MySQLStore)
    yield store
    store.close()


Lose = Callable[[Proxy], Loss]


def lose_reply(proxy: Proxy) -> Loss:
    return proxy.lose_reply(COMMIT, until=END_OF_COMMIT)


def lose_request(proxy: Proxy) -> Loss:
    return proxy.lose_request(COMMIT)


@pytest.mark.parametrize("lose", [lose_request, lose_reply])
@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("number", [1, 3, 3000])
def test_an_enqueue_is_neither_lost_nor_doubled(
    store: MySQLStore, eyes: MySQLStore, proxy: Proxy, lose: Lose, number: int, awaited: bool
) -> None:
    jobs = [new_job(system_now(), id=next_id()) for _ in range(number)]

    async def enqueueing() -> None:
        await store.arun(store.count(JobFilter()))
        await store.arun(store.enqueue(jobs))

    loss = lose(proxy)
    if awaited:
        asyncio.run(enqueueing())
    else:
        store.run(store.enqueue(jobs))
    assert loss.happened.is_set()
    assert eyes.run(eyes.count(JobFilter())) == number
    number_of_worker = eyes.run(eyes.register(WorkerInfo("ann", "host", 1, None, 1)))
    claimed = eyes.run(eyes.claim(ClaimRequest(lease_of(number_of_worker, 1), "ann", 5000)))
    assert sorted(job.id for job in claimed.jobs) == [job.id for job in jobs]


def test_an_enqueue_that_was_performed_meanwhile_is_not_stored_again(
    store: MySQLStore, eyes: MySQLStore, proxy: Proxy
) -> None:
    job = new_job(system_now(), id=next_id())
    number = eyes.run(eyes.register(WorkerInfo("ann", "host", 1, None, 1)))
    lose_reply(proxy)
    with pytest.raises(StoreUnavailable, match="was lost"):
        store._pool.run(store.enqueue([job])._op)  # type: ignore[attr-defined] # what is not Repeatable is not repeated
    claimed = eyes.run(eyes.claim(ClaimRequest(lease_of(number, 1), "ann", 5)))
    assert [each.id for each in claimed.jobs] == [job.id]
    eyes.run(eyes.settle([Settlement(job.id, lease_of(number, 1), Move.FINISH)]))
    store.run(store.enqueue([job]))
    assert eyes.run(eyes.count(JobFilter())) == 0


@pytest.mark.parametrize("lose", [lose_request, lose_reply])
@pytest.mark.parametrize("begins", [False, True])
@pytest.mark.parametrize("limit", [3, 10])
def test_a_claim_whose_reply_is_lost_is_repeated(
    store: MySQLStore, eyes: MySQLStore, proxy: Proxy, lose: Lose, begins: bool, limit: int
) -> None:
    jobs = [new_job(system_now(), id=next_id()) for _ in range(5)]
    store.run(store.enqueue(jobs))
    number = store.run(store.register(WorkerInfo("ann", "host", 1, None, 1)))
    request = ClaimRequest(lease_of(number, 1), "ann", limit)
    loss = lose(proxy)
    with pytest.raises(StoreUnavailable, match="was lost"):
        store.begin(store.claim(request)).result() if begins else store.run(store.claim(request))
    assert loss.happened.is_set()
    claimed = store.run(store.claim(replace(request, repeats=True)))
    held = [job for job in eyes.run(eyes.find(JobFilter())) if job.state is State.RUNNING]
    assert sorted(job.id for job in claimed.jobs) == sorted(job.id for job in held)
    assert len(held) == min(limit, 5)
    store.run(store.settle([Settlement(job.id, request.lease, Move.FINISH) for job in claimed.jobs]))
    rest = store.run(store.claim(ClaimRequest(lease_of(number, 2), "ann", 10)))
    assert len(rest.jobs) == 5 - len(held)


@pytest.mark.parametrize("lose", [lose_request, lose_reply])
def test_a_settlement_whose_reply_is_lost_is_applied_once(
    store: MySQLStore, eyes: MySQLStore, proxy: Proxy, lose: Lose
) -> None:
    jobs = [new_job(system_now(), id=next_id()) for _ in range(5)]
    store.run(store.enqueue(jobs))
    number = store.run(store.register(WorkerInfo("ann", "host", 1, None, 1)))
    request = ClaimRequest(lease_of(number, 1), "ann", 5)
    store.run(store.claim(request))
    ends = [Settlement(job.id, request.lease, Move.FINISH) for job in jobs[:3]]
    ends += [Settlement(job.id, request.lease, Move.FAIL, error="why") for job in jobs[3:]]
    lose(proxy)
    with pytest.raises(StoreUnavailable, match="was lost"):
        store.run(store.settle(ends))
    assert store.run(store.settle(ends)) in ([], [job.id for job in [*jobs[3:], *jobs[:3]]])
    found = {job.id: (job.state, job.attempts) for job in eyes.run(eyes.find(EVERY_STATE))}
    succeeded, failed = (State.SUCCEEDED, 0), (State.FAILED, 1)
    assert found == dict.fromkeys((job.id for job in jobs[:3]), succeeded) | dict.fromkeys(
        (job.id for job in jobs[3:]), failed
    )


def test_a_transaction_that_is_cut_off_is_undone(store: MySQLStore, eyes: MySQLStore, proxy: Proxy) -> None:
    def pausing() -> Op[None]:
        yield BEGIN
        yield Statement("INSERT INTO backburner_queues VALUES ('a', true)")
        proxy.cut()
        yield Statement("INSERT INTO backburner_queues VALUES ('b', true)")

    with pytest.raises(StoreUnavailable, match="was lost"):
        store.run(pausing())
    assert eyes.run(eyes.queues()) == []
    store.run(store.pause("c"))
    assert [queue.name for queue in eyes.run(eyes.queues())] == ["c"]


def test_a_commit_whose_reply_is_lost_is_not_taken_for_done(store: MySQLStore, eyes: MySQLStore, proxy: Proxy) -> None:
    lose_reply(proxy)
    with pytest.raises(StoreUnavailable, match="was lost"):
        store.run(store.pause("a"))
    assert [queue.name for queue in eyes.run(eyes.queues())] == ["a"]


def test_a_server_that_is_killed_again_and_again(private_mysql: MySQLServer) -> None:
    with private_mysql.fresh_database() as url:
        store = open_store(url)
        store.migrate()
        stored: list[Any] = []
        is_over = threading.Event()

        def enqueue() -> None:
            while not is_over.is_set():
                job = new_job(system_now(), id=next_id())
                try:
                    store.run(store.enqueue([job]))
                except StoreUnavailable:
                    is_over.wait(0.01)
                else:
                    stored.append(job.id)

        threads = [threading.Thread(target=enqueue) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            wait_for_more(stored)
            private_mysql.kill()
            private_mysql.start()
        wait_for_more(stored)
        is_over.set()
        for thread in threads:
            thread.join(LONG)
        found = {job.id for job in store.run(store.find(JobFilter(), limit=1_000_000))}
        assert set(stored) <= found
        assert len(stored) == len(set(stored))
        store.close()


def wait_for_more(stored: list[Any]) -> None:
    enough = len(stored) + 20
    pause = threading.Event()
    for _ in range(2000):
        if len(stored) >= enough:
            return
        pause.wait(0.01)
    raise AssertionError("nothing is stored any more")


def test_a_restart_while_nobody_asked_for_anything_is_not_noticed(private_mysql: MySQLServer) -> None:
    with private_mysql.fresh_database() as url:
        store = open_store(url)
        assert isinstance(store, MySQLStore)
        store.migrate()
        number = store.run(store.register(WorkerInfo("ann", "host", 1, None, 1)))
        private_mysql.stop()
        private_mysql.start()
        assert store.run(store.beat(number)) is True
        store.close()


def test_a_number_of_a_worker_is_not_given_twice_after_a_crash(private_mysql: MySQLServer) -> None:
    with private_mysql.fresh_database() as url:
        store = open_store(url)
        store.migrate()
        worker = WorkerInfo("ann", "host", 1, None, 1)
        numbers = []
        for crash in (private_mysql.kill, private_mysql.stop):
            numbers.append(store.run(store.register(worker)))
            store.run(store.retire(numbers[-1]))
            crash()
            private_mysql.start()
        numbers.append(store.run(store.register(worker)))
        assert numbers == sorted(set(numbers))
        store.close()


def test_a_paused_server_is_given_up_on_and_found_again(private_mysql: MySQLServer) -> None:
    with private_mysql.fresh_database() as url:
        store = open_store(f"{url}?timeout=0.5")
        store.migrate()
        store.run(store.enqueue([new_job()]))
        private_mysql.pause()
        with pytest.raises(StoreUnavailable, match="did not answer in time"):
            store.run(store.enqueue([new_job()]))
        private_mysql.resume()
        assert store.run(store.count(JobFilter())) in (1, 2)
        store.close()
