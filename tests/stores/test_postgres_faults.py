"""Replies that are lost, servers that die: what was stored is stored once, and what was claimed is not stuck."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from backburner.authoring.ids import UuidMaker
from backburner.core.errors import StoreUnavailable
from backburner.core.lifecycle import Move, State
from backburner.core.ops import BEGIN, Op, Statement
from backburner.core.ports import ClaimRequest, JobFilter, Settlement, WorkerInfo, lease_of
from backburner.core.times import system_now
from backburner.stores.open import open_store
from backburner.stores.sql.postgres.store import PostgresStore
from backburner.testing.contract.driving import new_job
from tests.servers.postgres import READY_FOR_QUERY, PostgresServer
from tests.servers.proxy import Proxy

LONG = 20.0
END_OF_COPY = b"c\x00\x00\x00\x04"
"""What we send then."""

next_id = UuidMaker()  # such as applications make, not those of the tests, which look old


@pytest.fixture
def proxy(postgres_url: str, proxy_to: Callable[[str], Proxy]) -> Proxy:
    return proxy_to(postgres_url)


@pytest.fixture
def store(postgres_url: str, proxy: Proxy) -> Iterator[PostgresStore]:
    """A store whose connections may be tampered with; it has one."""
    store = open_store(f"{proxy.url}?timeout=5")
    assert isinstance(store, PostgresStore)
    store.migrate()
    store.run(store.count(JobFilter()))
    yield store
    store.close()


@pytest.fixture
def eyes(postgres_url: str) -> Iterator[PostgresStore]:
    """A store on the same database that nobody tampers with."""
    store = open_store(postgres_url)
    assert isinstance(store, PostgresStore)
    yield store
    store.close()


Lose = Callable[[Proxy, bytes], Any]


def lose_reply(proxy: Proxy, pattern: bytes) -> Any:
    return proxy.lose_reply(pattern, until=READY_FOR_QUERY)


def lose_request(proxy: Proxy, pattern: bytes) -> Any:
    return proxy.lose_request(pattern)


@pytest.mark.parametrize("lose", [lose_request, lose_reply])
@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize(
    ("number", "pattern"),
    [(1, b"INSERT INTO backburner_jobs"), (3, b"INSERT INTO backburner_jobs"), (3000, END_OF_COPY)],
)
def test_an_enqueue_is_neither_lost_nor_doubled(
    store: PostgresStore, eyes: PostgresStore, proxy: Proxy, lose: Lose, number: int, pattern: bytes, awaited: bool
) -> None:
    jobs = [new_job(system_now(), id=next_id()) for _ in range(number)]

    async def enqueueing() -> None:
        await store.arun(store.count(JobFilter()))
        await store.arun(store.enqueue(jobs))

    loss = lose(proxy, pattern)
    if awaited:
        asyncio.run(enqueueing())
    else:
        store.run(store.enqueue(jobs))
    assert loss.happened.is_set()
    assert eyes.run(eyes.count(JobFilter())) == number


def test_an_enqueue_that_was_performed_meanwhile_is_not_stored_again(
    store: PostgresStore, eyes: PostgresStore, proxy: Proxy
) -> None:
    job = new_job(system_now(), id=next_id())
    number = eyes.run(eyes.register(WorkerInfo("ann", "host", 1, None, 1)))
    proxy.lose_reply(b"INSERT INTO backburner_jobs", until=READY_FOR_QUERY)
    with pytest.raises(StoreUnavailable, match="was lost"):
        store._pool.run(store.enqueue([job])._op)  # type: ignore[attr-defined] # what is not Repeatable is not repeated
    claimed = eyes.run(eyes.claim(ClaimRequest(lease_of(number, 1), "ann", 5)))
    assert [each.id for each in claimed.jobs] == [job.id]
    eyes.run(eyes.settle([Settlement(job.id, lease_of(number, 1), Move.FINISH)]))
    store.run(store.enqueue([job]))
    assert eyes.run(eyes.count(JobFilter())) == 0


@pytest.mark.parametrize("lose", [lose_request, lose_reply])
@pytest.mark.parametrize("begins", [False, True])
def test_a_claim_whose_reply_is_lost_is_repeated(
    store: PostgresStore, eyes: PostgresStore, proxy: Proxy, lose: Lose, begins: bool
) -> None:
    jobs = [new_job(system_now()) for _ in range(5)]
    store.run(store.enqueue(jobs))
    number = store.run(store.register(WorkerInfo("ann", "host", 1, None, 1)))
    request = ClaimRequest(lease_of(number, 1), "ann", 3)
    lose(proxy, b"UPDATE backburner_jobs")
    with pytest.raises(StoreUnavailable, match="was lost"):
        store.begin(store.claim(request)).result() if begins else store.run(store.claim(request))
    claimed = store.run(store.claim(replace(request, repeats=True)))
    held = [job for job in eyes.run(eyes.find(JobFilter())) if job.state is State.RUNNING]
    assert sorted(job.id for job in claimed.jobs) == sorted(job.id for job in held)
    assert len(held) == 3
    store.run(store.settle([Settlement(job.id, request.lease, Move.FINISH) for job in claimed.jobs]))
    rest = store.run(store.claim(ClaimRequest(lease_of(number, 2), "ann", 5)))
    assert len(rest.jobs) == 2


def test_a_transaction_that_is_cut_off_is_undone(store: PostgresStore, eyes: PostgresStore, proxy: Proxy) -> None:
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


def test_a_commit_whose_reply_is_lost_is_not_taken_for_done(
    store: PostgresStore, eyes: PostgresStore, proxy: Proxy
) -> None:
    proxy.lose_reply(b"COMMIT\0", until=READY_FOR_QUERY)
    with pytest.raises(StoreUnavailable, match="was lost"):
        store.run(store.pause("a"))
    assert [queue.name for queue in eyes.run(eyes.queues())] == ["a"]


def test_a_server_that_is_killed_again_and_again(private_postgres: PostgresServer) -> None:
    with private_postgres.fresh_database() as url:
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
            private_postgres.kill()
            private_postgres.start()
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


def test_a_restart_while_nobody_asked_for_anything_is_not_noticed(private_postgres: PostgresServer) -> None:
    with private_postgres.fresh_database() as url:
        store = open_store(url)
        assert isinstance(store, PostgresStore)
        store.migrate()
        number = store.run(store.register(WorkerInfo("ann", "host", 1, None, 1)))
        private_postgres.stop()
        private_postgres.start()
        for slot in store._pool.slots:
            slot._rested_since -= 60
        assert store.run(store.beat(number)) is True
        store.close()


def test_a_paused_server_is_given_up_on_and_found_again(private_postgres: PostgresServer) -> None:
    with private_postgres.fresh_database() as url:
        store = open_store(f"{url}?timeout=0.5")
        store.migrate()
        store.run(store.enqueue([new_job()]))
        private_postgres.pause()
        with pytest.raises(StoreUnavailable, match="did not answer in time"):
            store.run(store.enqueue([new_job()]))
        private_postgres.resume()
        assert store.run(store.count(JobFilter())) in (1, 2)
        store.close()


def test_a_standby_is_left_for_the_primary(private_postgres: PostgresServer) -> None:
    """A server that takes no writes, and one that does: the URL names both."""
    with PostgresServer() as other, private_postgres.fresh_database() as url:
        database = url.rpartition("/")[2]
        other.execute_as_admin(f"CREATE DATABASE {database}")
        two = f"postgresql://postgres@127.0.0.1:{private_postgres.port},127.0.0.1:{other.port}/{database}"
        for each in (url, other.url(database)):
            one = open_store(each)
            one.migrate()
            one.close()
        store = open_store(two)
        store.run(store.enqueue([new_job()]))
        make_read_only(private_postgres, "on")
        store.run(store.enqueue([new_job()]))
        make_read_only(private_postgres, "off")
        with psycopg.connect(other.url(database)) as connection:
            assert connection.execute("SELECT count(*) FROM backburner_jobs").fetchone() == (1,)
        store.close()


def make_read_only(server: PostgresServer, value: str) -> None:
    server.execute_as_admin(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
    server.execute_as_admin("SELECT pg_reload_conf()")
    pause = threading.Event()
    while server.execute_as_admin("SHOW default_transaction_read_only") != [(value,)]:
        pause.wait(0.01)
