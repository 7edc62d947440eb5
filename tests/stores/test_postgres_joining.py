"""Enqueueing on the application's own psycopg connection, whatever state that connection is in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from psycopg.types.string import TextLoader

from backburner.core.errors import ConfigurationError, SchemaMissing
from backburner.core.ports import ClaimRequest, JobFilter, WorkerInfo, lease_of
from backburner.core.times import system_now
from backburner.stores.open import open_store
from backburner.stores.sql.postgres.store import PostgresStore
from backburner.testing.contract.driving import new_job
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import Postgres, PostgresServer
from tests.servers.proxy import Proxy
from tests.servers.urls import with_parts

PATIENCE = 20.0


def opened(url: str) -> PostgresStore:
    store = open_store(url)
    assert isinstance(store, PostgresStore)
    return store


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresStore]:
    store = opened(postgres_url)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def connection(postgres_url: str, store: PostgresStore) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres_url) as connection:
        yield connection


def count(store: PostgresStore) -> int:
    return store.run(store.count(JobFilter()))


def test_a_savepoint_that_is_rolled_back_drops_its_jobs(
    store: PostgresStore, connection: psycopg.Connection[Any]
) -> None:
    kept, dropped = new_job(), new_job()
    store.run(store.enqueue([kept]), connection)
    with connection.transaction(force_rollback=True):
        store.run(store.enqueue([dropped, new_job()]), connection)
    connection.commit()
    assert [job.id for job in store.run(store.find(JobFilter()))] == [kept.id]


def test_the_transaction_is_neither_begun_nor_ended_by_us(
    store: PostgresStore, connection: psycopg.Connection[Any]
) -> None:
    store.run(store.enqueue([new_job()]), connection)
    assert connection.info.transaction_status is TransactionStatus.INTRANS
    store.run(store.count(JobFilter()), connection)
    assert connection.info.transaction_status is TransactionStatus.INTRANS
    connection.rollback()
    assert count(store) == 0


@pytest.mark.parametrize("number", [1, 3])
def test_an_enqueue_is_one_statement(number: int, private_postgres: PostgresServer) -> None:
    private_postgres.execute_as_admin("ALTER SYSTEM SET log_statement = 'all'")
    private_postgres.execute_as_admin("SELECT pg_reload_conf()")
    with private_postgres.fresh_database() as url, psycopg.connect(url) as connection:
        store = opened(url)
        store.migrate()
        store.run(store.enqueue([new_job()]), connection)
        connection.commit()
        connection.execute("SELECT 'from here'")
        store.run(store.enqueue([new_job() for _ in range(number)]), connection)
        connection.execute("SELECT 'to here'")
        process = connection.info.backend_pid
        store.close()
    log = (private_postgres.folder / "log").read_text()
    between = log.partition("SELECT 'from here'")[2].partition("SELECT 'to here'")[0]
    statements = [line for line in between.splitlines() if f"[{process}] LOG:" in line]
    assert len(statements) == 2  # the other one is the mark
    assert "INSERT INTO backburner_jobs" in statements[0]


def test_a_connection_that_commits_every_statement_commits_the_job(
    store: PostgresStore, connection: psycopg.Connection[Any]
) -> None:
    connection.autocommit = True
    store.run(store.enqueue([new_job()]), connection)
    store.run(store.enqueue([new_job(), new_job()]), connection)
    assert connection.info.transaction_status is TransactionStatus.IDLE
    assert count(store) == 3


def test_on_such_a_connection_an_operation_is_done_whole_or_not_at_all(
    store: PostgresStore, connection: psycopg.Connection[Any]
) -> None:
    from backburner.core.errors import StoreUnavailable
    from backburner.core.ops import BEGIN, Op, Statement

    def halves() -> Op[None]:
        yield BEGIN
        yield Statement("INSERT INTO backburner_queues VALUES ('a')")
        yield Statement("INSERT INTO backburner_queues VALUES (NULL)")

    connection.autocommit = True
    with pytest.raises(StoreUnavailable, match="NotNullViolation"):
        store.run(halves(), connection)
    assert connection.info.transaction_status is TransactionStatus.IDLE
    assert store.run(store.queues()) == []


def test_a_block_on_such_a_connection_is_joined(store: PostgresStore, connection: psycopg.Connection[Any]) -> None:
    connection.autocommit = True
    with connection.transaction(force_rollback=True):
        store.run(store.pause("mail"), connection)
        store.run(store.enqueue([new_job(), new_job()]), connection)
        assert connection.info.transaction_status is TransactionStatus.INTRANS
    assert count(store) == 0
    assert store.run(store.queues()) == []


def test_a_pipeline_is_joined(store: PostgresStore, connection: psycopg.Connection[Any]) -> None:
    job = new_job()
    with connection.pipeline():
        store.run(store.enqueue([job]), connection)
        assert store.run(store.get(job.id), connection) is not None
        assert store.run(store.count(JobFilter()), connection) == 1
        assert store.run(store.cancel(job.id), connection).id == job.id
    connection.commit()
    assert count(store) == 0


def test_how_the_connection_is_set_up_does_not_matter(
    store: PostgresStore, connection: psycopg.Connection[Any]
) -> None:
    connection.row_factory = dict_row
    connection.cursor_factory = psycopg.ClientCursor
    connection.prepare_threshold = None
    for name in ("int4", "int8", "uuid", "bool", "text"):
        connection.adapters.register_loader(name, TextLoader)
    job = new_job()
    store.run(store.enqueue([job]), connection)
    found = store.run(store.get(job.id), connection)
    assert found is not None
    assert (found.id, found.keep_failed) == (job.id, True)
    assert connection.execute("SELECT 1 AS one").fetchone() == {"one": "1"}
    connection.rollback()


def test_an_error_leaves_the_transaction_failed_as_any_statement_would(
    store: PostgresStore, connection: psycopg.Connection[Any]
) -> None:
    store.run(store.enqueue([new_job()]), connection)
    with psycopg.connect(store.url, autocommit=True) as other:
        connection.commit()
        other.execute("ALTER TABLE backburner_jobs RENAME TO elsewhere")
    with pytest.raises(SchemaMissing, match='relation "backburner_jobs" does not exist.*run `backburner migrate`'):
        store.run(store.enqueue([new_job()]), connection)
    assert connection.info.transaction_status is TransactionStatus.INERROR
    with pytest.raises(ConfigurationError, match="has failed already .*: roll it back before enqueueing"):
        store.run(store.enqueue([new_job()]), connection)
    connection.rollback()


def test_a_worker_may_work_on_the_callers_connection(store: PostgresStore, connection: psycopg.Connection[Any]) -> None:
    job = new_job(system_now())
    store.run(store.enqueue([job]))
    number = store.run(store.register(WorkerInfo("ann", "host", 1, None, 1)), connection)
    claimed = store.run(store.claim(ClaimRequest(lease_of(number, 1), "ann", 5)), connection)
    assert [each.id for each in claimed.jobs] == [job.id]
    connection.rollback()
    assert count(store) == 1


def test_many_jobs_are_joined(store: PostgresStore, connection: psycopg.Connection[Any]) -> None:
    jobs = [new_job() for _ in range(5000)]
    store.run(store.enqueue(jobs), connection)
    store.run(store.enqueue(jobs), connection)
    assert count(store) == 0
    connection.commit()
    assert count(store) == 5000


# Awaited.


def test_an_async_connection_is_joined(store: PostgresStore) -> None:
    async def working() -> None:
        async with await psycopg.AsyncConnection.connect(store.url) as connection:
            await store.arun(store.enqueue([new_job()]), connection)
            await store.arun(store.enqueue([new_job(), new_job()]), connection)
            assert connection.info.transaction_status is TransactionStatus.INTRANS
            await connection.rollback()
            assert await store.arun(store.count(JobFilter())) == 0
            async with connection.transaction():
                await store.arun(store.enqueue([new_job()]), connection)
            await connection.set_autocommit(True)
            await store.arun(store.enqueue([new_job(), new_job()]), connection)
            async with connection.pipeline():
                await store.arun(store.enqueue([new_job()]), connection)
                assert await store.arun(store.count(JobFilter()), connection) == 4
            assert connection.info.transaction_status is TransactionStatus.IDLE
            assert await store.arun(store.count(JobFilter()), connection) == 4

    asyncio.run(working())


def test_an_error_on_an_async_connection_is_explained(store: PostgresStore) -> None:
    async def working() -> None:
        async with await psycopg.AsyncConnection.connect(store.url) as connection:
            with psycopg.connect(store.url, autocommit=True) as other:
                other.execute("ALTER TABLE backburner_jobs RENAME TO elsewhere")
            with pytest.raises(SchemaMissing, match='relation "backburner_jobs" does not exist.*run `backburner mi'):
                await store.arun(store.enqueue([new_job()]), connection)
            assert connection.info.transaction_status is TransactionStatus.INERROR
            async with connection.pipeline():
                with pytest.raises(ConfigurationError, match="has failed already .*: roll it back before enqueueing"):
                    await store.arun(store.enqueue([new_job()]), connection)
            await connection.rollback()

    asyncio.run(working())


def test_a_blocking_connection_may_be_awaited_on(store: PostgresStore, connection: psycopg.Connection[Any]) -> None:
    asyncio.run(store.arun(store.enqueue([new_job()]), connection))
    assert count(store) == 0
    connection.commit()
    assert count(store) == 1


def test_an_async_connection_has_to_be_awaited_on(store: PostgresStore) -> None:
    async def working() -> None:
        async with await psycopg.AsyncConnection.connect(store.url) as connection:
            with pytest.raises(ConfigurationError, match="got psycopg.AsyncConnection; await the operation"):
                store.run(store.enqueue([new_job()]), connection)

    asyncio.run(working())


# Whose connection it is.


def test_a_closed_connection_is_refused(store: PostgresStore, connection: psycopg.Connection[Any]) -> None:
    connection.close()
    with pytest.raises(ConfigurationError, match="got a closed connection"):
        store.run(store.enqueue([new_job()]), connection)


def test_a_connection_to_another_database_is_refused(store: PostgresStore, postgres_server: Postgres) -> None:
    with psycopg.connect(postgres_server.url("postgres")) as other:
        with pytest.raises(ConfigurationError, match=r"expected .* database test_\w+ at .*, got one to postgres at "):
            store.run(store.enqueue([new_job()]), other)
        with pytest.raises(ConfigurationError):
            store.run(store.enqueue([new_job()]), other)


def test_a_connection_to_the_same_name_on_another_server_is_refused(
    store: PostgresStore, private_postgres: PostgresServer
) -> None:
    database = store.url.rpartition("/")[2]
    private_postgres.execute_as_admin(f"CREATE DATABASE {database}")
    with (
        psycopg.connect(private_postgres.url(database)) as other,
        pytest.raises(ConfigurationError, match="add pooler=yes to the URL of the store"),
    ):
        store.run(store.enqueue([new_job()]), other)


def test_a_connection_that_came_another_way_is_welcome(store: PostgresStore, proxy_to: Callable[[str], Proxy]) -> None:
    for url in (store.url.replace("127.0.0.1", "localhost"), proxy_to(store.url).url):
        with psycopg.connect(url) as connection:
            store.run(store.enqueue([new_job()]), connection)
    assert count(store) == 2


def test_so_is_one_through_a_pooler(store: PostgresStore, postgres_server: Postgres) -> None:
    with PgBouncer(postgres_server) as bouncer, psycopg.connect(bouncer.url_of(store.url)) as connection:
        store.run(store.enqueue([new_job()]), connection)
    assert count(store) == 1


def test_so_is_one_whose_pooler_makes_up_the_number_of_a_process(
    store: PostgresStore, proxy_to: Callable[[str], Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psycopg.ConnectionInfo, "backend_pid", property(lambda _: 4_194_303))
    with psycopg.connect(proxy_to(store.url).url) as connection:
        store.run(store.enqueue([new_job()]), connection)
    assert count(store) == 1


def test_a_store_that_has_never_connected_joins(store: PostgresStore, connection: psycopg.Connection[Any]) -> None:
    fresh = opened(store.url)
    fresh.run(fresh.enqueue([new_job()]), connection)
    connection.commit()
    fresh.close()
    assert count(store) == 1


def test_a_store_that_cannot_connect_joins_all_the_same(
    store: PostgresStore, connection: psycopg.Connection[Any]
) -> None:
    nowhere = opened(with_parts(store.url, port=1))
    nowhere.run(nowhere.enqueue([new_job()]), connection)
    connection.commit()
    assert count(store) == 1
