"""The PostgreSQL store behind a pooler that gives every transaction another connection."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from time import monotonic
from typing import Any

import psycopg
import pytest

from backburner.authoring.ids import UuidMaker
from backburner.core.errors import ConfigurationError
from backburner.core.ops import BEGIN, Op, Slow, Statement
from backburner.core.ports import ClaimRequest, JobFilter, Store, WorkerInfo, lease_of
from backburner.core.times import system_now
from backburner.stores.open import open_store
from backburner.stores.sql.base import LOOK
from backburner.stores.sql.postgres.store import PostgresStore, open_postgres
from backburner.testing.contract import ManualClock, StoreContract
from backburner.testing.contract.driving import new_job
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import Postgres
from tests.stores.book import Book
from tests.stores.test_postgres_contract import database, emptied

__all__ = ["database"]  # the fixture

LONG = 20.0


@pytest.fixture(scope="module")
def bouncer(postgres_server: Postgres) -> Iterator[PgBouncer]:
    with PgBouncer(postgres_server) as bouncer:
        yield bouncer


@pytest.mark.slow
class TestThroughPgBouncer(StoreContract):
    @pytest.fixture(autouse=True)
    def _urls(self, bouncer: PgBouncer, database: str) -> None:
        self.direct, self.url = database, bouncer.url_of(database)

    def make_store(self, clock: ManualClock) -> Store:
        return open_postgres(emptied(self.direct), self.url, clock)

    def connect(self, store: Store) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url, prepare_threshold=None)


@pytest.fixture
def store(pgbouncer_url: str) -> Iterator[PostgresStore]:
    store = open_store(pgbouncer_url)
    assert isinstance(store, PostgresStore)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def direct(postgres_url: str) -> Iterator[PostgresStore]:
    """A store on the same database, without PgBouncer."""
    store = open_store(postgres_url)
    assert isinstance(store, PostgresStore)
    yield store
    store.close()


def value(text: str) -> Op[Any]:
    reply = yield Statement(text)
    return reply.rows[0][0]


def test_it_is_noticed(store: PostgresStore, direct: PostgresStore) -> None:
    store.run(value("SELECT 1"))
    direct.run(value("SELECT 1"))
    assert store._server.is_pooled is True
    assert direct._server.is_pooled is False


@pytest.mark.parametrize(("pooler", "is_pooled"), [("auto", True), ("yes", True), ("no", False)])
def test_the_url_may_say_so(store: PostgresStore, pooler: str, is_pooled: bool) -> None:
    other = open_store(f"{store.url}?pooler={pooler}")
    assert isinstance(other, PostgresStore)
    other.schema_state()
    assert other._server.is_pooled is is_pooled
    other.close()


def test_a_session_that_others_share_is_left_as_it_is(store: PostgresStore) -> None:
    def inside(opening: Any) -> Op[str]:
        yield opening
        reply = yield Statement("SHOW statement_timeout")
        return str(reply.rows[0][0])

    for _ in range(10):  # PgBouncer's connections take turns
        assert store.run(value("SHOW statement_timeout")) == "0"
        assert store.run(value("SHOW enable_seqscan")) == "on"
        assert store.run(inside(BEGIN)) == "9s"
        assert store.run(inside(LOOK)) == "54s"
    assert store.run(value("SELECT count(*) FROM pg_prepared_statements")) == 0


def test_statements_are_begun(store: PostgresStore) -> None:
    def slow(number: int) -> Op[Any]:
        reply = yield Slow("SELECT %s::integer, pg_sleep(0.01)", (number,))
        return reply.rows[0][0]

    for _ in range(5):
        begun = [store.begin(slow(number)) for number in range(6)]  # more than there are connections
        assert [each.result() for each in begun] == list(range(6))


def test_many_threads_and_tasks_at_once(store: PostgresStore) -> None:
    number = store.run(store.register(WorkerInfo("ann", "host", 1, None, 1)))
    claimed: list[Any] = []
    batches = iter(range(1, 1000))

    def work() -> None:
        for _ in range(5):
            store.run(store.enqueue([new_job() for _ in range(4)]))
            request = ClaimRequest(lease_of(number, next(batches)), "ann", 5)
            claimed.extend(job.id for job in store.run(store.claim(request)).jobs)

    async def awaited() -> None:
        await asyncio.gather(*(store.arun(store.enqueue([new_job()])) for _ in range(20)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    asyncio.run(awaited())
    for thread in threads:
        thread.join(LONG)
    assert len(claimed) == len(set(claimed)) > 0
    assert store.run(store.count(JobFilter())) == 100


def test_bulk_is_copied(store: PostgresStore) -> None:
    book, next_id = Book(), UuidMaker()
    jobs = [new_job(system_now(), id=next_id()) for _ in range(3000)]
    store.run(book.noting(store.enqueue(jobs)))
    assert any(text.startswith("COPY") for text in book.texts)
    store.run(store.enqueue(jobs))
    assert store.run(store.count(JobFilter())) == 3000


def test_a_watch_looks_by_itself(store: PostgresStore) -> None:
    watch = store.watch()
    began = monotonic()
    assert watch.wait(LONG) is True
    assert monotonic() - began < 1
    assert watch.wait(0.001) is False
    watch.wake()
    assert watch.wait(0.001) is True
    watch.close()


def test_notice_is_given_to_those_who_can_hear(store: PostgresStore, direct: PostgresStore) -> None:
    direct.run(value("SELECT 1"))
    watch = direct.watch()
    store.notify()
    assert watch.wait(LONG) is True
    watch.close()


def test_it_is_among_the_problems(store: PostgresStore) -> None:
    assert any("A pooler stands before the database" in problem for problem in store.problems())


def test_startup_options_are_refused_by_it(store: PostgresStore) -> None:
    other = open_store(f"{store.url}?options=-c%20jit%3Doff")
    with pytest.raises(ConfigurationError, match="the pooler in between takes no such parameter"):
        other.schema_state()


def test_a_restart_of_it_is_survived(postgres_server: Postgres, postgres_url: str) -> None:
    with PgBouncer(postgres_server) as bouncer:
        store = open_store(bouncer.url_of(postgres_url))
        store.migrate()
        bouncer.kill()
        bouncer.start()
        store.run(store.enqueue([new_job()]))
        assert store.run(store.count(JobFilter())) == 1
        store.close()
