"""Operations inside a transaction of which a store knows only how to execute a statement in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from backburner.authoring.ids import new_id
from backburner.core.errors import ConfigurationError, SchemaMissing
from backburner.core.job import Job
from backburner.core.ops import Op, Reply, Statement
from backburner.core.ports import JobFilter
from backburner.core.times import system_now
from backburner.stores.memory.store import MemoryStore
from backburner.stores.open import open_store
from backburner.stores.sql.lent import Execute
from backburner.testing.contract.driving import new_job
from tests.stores.mysql import connect

URLS = {"postgres": "postgres_url", "mariadb": "mysql_url"}

Connect = Callable[[str], Any]


def connect_to(url: str) -> Any:
    """Connect as an application does: its driver begins transactions by itself."""
    if url.startswith("sqlite"):
        return sqlite3.connect(url.removeprefix("sqlite:///"))
    return psycopg.connect(url) if url.startswith("postgres") else connect(url)


def executing(connection: Any) -> Execute:
    """Return what executes a statement on a connection, of whatever driver."""

    def execute(statement: Statement) -> Reply:
        with closing(connection.cursor()) as cursor:
            cursor.execute(statement.text, statement.parameters)
            rows = [] if cursor.description is None else [tuple(row) for row in cursor.fetchall()]
            return Reply(rows, cursor.rowcount)

    return execute


@pytest.fixture(params=["sqlite", *URLS])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/shop.db"
    return str(request.getfixturevalue(URLS[request.param]))


@pytest.fixture
def store(url: str) -> Iterator[Any]:
    with closing(open_store(url)) as store:
        store.migrate()
        yield store


@pytest.fixture
def connection(url: str, store: Any) -> Iterator[Any]:
    with closing(connect_to(url)) as connection:
        yield connection


def job_of_today() -> Job[Any]:
    job = new_job()
    job.id, job.created_at = new_id(), system_now()
    job.run_at = job.created_at
    return job


def ids(store: Any) -> list[Any]:
    return [job.id for job in store.run(store.find(JobFilter()))]


@pytest.mark.parametrize("number", [1, 3, 300])
def test_what_is_committed_is_there(store: Any, connection: Any, number: int) -> None:
    jobs = [job_of_today() for _ in range(number)]
    store.run_by(store.enqueue(jobs), executing(connection))
    connection.commit()
    assert store.run(store.count(JobFilter())) == number
    assert set(ids(store)) <= {job.id for job in jobs}


def test_what_is_rolled_back_is_not(store: Any, connection: Any) -> None:
    store.run_by(store.enqueue([job_of_today(), job_of_today()]), executing(connection))
    connection.rollback()
    assert ids(store) == []


def test_a_savepoint_takes_its_jobs_along(store: Any, connection: Any) -> None:
    kept, dropped = job_of_today(), job_of_today()
    execute = executing(connection)
    store.run_by(store.enqueue([kept]), execute)
    execute(Statement("SAVEPOINT mine"))
    store.run_by(store.enqueue([dropped]), execute)
    execute(Statement("ROLLBACK TO SAVEPOINT mine"))
    connection.commit()
    assert ids(store) == [kept.id]


def test_the_same_job_twice_is_one(store: Any, connection: Any) -> None:
    job = job_of_today()
    for _ in range(2):
        store.run_by(store.enqueue([job]), executing(connection))
    connection.commit()
    assert ids(store) == [job.id]


def test_every_operation_may_be_run_so(store: Any, connection: Any) -> None:
    job = job_of_today()
    execute = executing(connection)
    store.run_by(store.enqueue([job]), execute)
    assert store.run_by(store.count(JobFilter()), execute) == 1
    assert store.run_by(store.delete(job.id), execute).id == job.id
    connection.commit()
    assert ids(store) == []


def test_an_operation_of_another_store_is_told_from_its_own(store: Any, connection: Any) -> None:
    def strange() -> Op[None]:
        yield "what is this?"

    with pytest.raises(TypeError, match="what is this"):
        store.run_by(strange(), executing(connection))


@pytest.mark.parametrize("options", ["", "?table_prefix=work_"])
@pytest.mark.parametrize("name", URLS)
def test_missing_tables_are_named(name: str, options: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(URLS[name])
    with (
        closing(open_store(url + options)) as store,
        closing(connect_to(url)) as connection,
        pytest.raises(SchemaMissing, match="backburner migrate"),
    ):
        store.run_by(store.enqueue([job_of_today()]), executing(connection))


def test_sqlite_makes_its_tables_in_that_transaction(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    job = job_of_today()
    with closing(open_store(url)) as store, closing(connect_to(url)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        store.run_by(store.enqueue([job]), executing(connection))
        connection.commit()
        assert ids(store) == [job.id]


def test_a_connection_to_the_same_database_leads_there(store: Any, connection: Any) -> None:
    assert store.leads_here(executing(connection))


def test_one_to_another_database_does_not(store: Any, url: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    with closing(elsewhere(url, request, tmp_path)) as other:
        assert not store.leads_here(executing(other))


def elsewhere(url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Connect to another database of the same kind, on the same server if there is one."""
    if url.startswith("sqlite"):
        return sqlite3.connect(tmp_path / "other.db")
    if url.startswith("postgres"):
        return psycopg.connect(request.getfixturevalue("postgres_server").admin_url)
    return connect(url, database="information_schema")


def test_the_memory_store_joins_nothing() -> None:
    store = MemoryStore()

    def execute(statement: Statement) -> Reply:
        raise AssertionError(statement)

    assert not store.leads_here(execute)
    with pytest.raises(ConfigurationError, match="memory store cannot join"):
        store.run_by(store.enqueue([job_of_today()]), execute)
