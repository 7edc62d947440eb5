"""A harness on a connection of the test's: all is undone when the test rolls back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy
from psycopg.rows import dict_row
from pymysql.cursors import SSDictCursor
from sqlalchemy import event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from backburner import Backburner, ConfigurationError, Delayable, InvalidState, JobNotFound, bulk, delay
from backburner.core.ops import Op
from backburner.core.ports import Store
from backburner.testing import BackburnerTestCase, Clock, Harness, harness
from tests.stores import mysql
from tests.testing.shop import User, add, chain, done, fail, note_id, report, slowly
from tests.testing.test_case import run

KINDS = ["sqlite", "sqlite-autocommit", "postgres", "postgres-autocommit", "mysql", "mysql-autocommit"]


DIALECTS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
"""What SQLAlchemy calls databases with the drivers that a harness knows."""


class Ground(NamedTuple):
    """A database, its tables made, and a way to connect to it."""

    url: str
    connect: Callable[[], Any]


def ground_of(kind: str, request: pytest.FixtureRequest) -> Ground:
    database, _, autocommit = kind.partition("-")
    if database == "sqlite":
        path = request.getfixturevalue("tmp_path") / "shop.db"
        level = None if autocommit else ""
        return Ground(f"sqlite:///{path}", lambda: sqlite3.connect(path, isolation_level=level))  # type: ignore[arg-type]
    url = request.getfixturevalue(f"{database}_url")
    if database == "postgres":
        return Ground(url, lambda: psycopg.connect(url, autocommit=bool(autocommit), row_factory=dict_row))
    return Ground(url, lambda: mysql.connect(url, autocommit=bool(autocommit), cursorclass=SSDictCursor))


@pytest.fixture(params=KINDS)
def ground(request: pytest.FixtureRequest) -> Ground:
    ground = ground_of(request.param, request)
    with Backburner(ground.url) as app:
        app.migrate()
    return ground


@pytest.fixture
def connection(ground: Ground) -> Iterator[Any]:
    with closing(ground.connect()) as connection:
        yield connection


@pytest.fixture
def under_test(ground: Ground, connection: Any) -> Iterator[Harness]:
    clock = Clock()
    with (
        Backburner(ground.url, clock=clock, allow=["tests.testing"]) as app,
        harness(app, clock=clock, connection=connection) as under_test,
    ):
        yield under_test


def test_all_is_gone_when_the_test_rolls_back(ground: Ground, connection: Any, under_test: Harness) -> None:
    add.delay(1)
    delay(User(7, "Ann"), connection=connection).activate("code")
    under_test.assert_enqueued(add, 1)
    assert under_test.drain() == (2, 0)
    assert done == [1, ("Ann", "code", False)]
    fail.delay("alas")
    assert under_test.drain(raises=False) == (0, 1)
    assert under_test.jobs.count() == 1
    with Backburner(ground.url) as others:
        assert (others.jobs.count(), others.jobs.count(state="succeeded"), others.workers()) == (0, 0, [])
    connection.rollback()
    assert (under_test.jobs.count(), under_test.jobs.count(state="succeeded")) == (0, 0)


def test_what_the_harness_can_do(under_test: Harness) -> None:
    chain.delay([1, 2])
    slowly.options(run_at=60).delay(3)
    job = note_id.options(run_at=3600).delay()
    assert under_test.drain(until=60) == (3, 0)
    assert done == [1, 2, 3]
    assert under_test.perform(job)
    report.delay(4)
    assert under_test.drain() == (1, 0)
    assert under_test.jobs.last(state="succeeded").progress.done == 4
    job = add.delay(5)
    under_test.jobs.cancel(job.id)
    assert under_test.jobs.get(job.id).state == "cancelled"
    under_test.app.queues.pause("default")
    add.delay(6)
    assert under_test.drain() == (0, 0)


def test_an_operation_that_fails_spoils_nothing(under_test: Harness) -> None:
    job = add.delay(1)
    store = under_test.app.store
    with pytest.raises(Exception, match=r"(?i)too long|null|constraint|value"):
        store.run(store.enqueue([replace(job, id=uuid4()), replace(job, id=uuid4(), queue=None)]))
    with pytest.raises(JobNotFound):
        under_test.jobs.get("00000000-0000-7000-8000-000000000000")
    with pytest.raises(InvalidState):
        under_test.jobs.cancel(_finished(under_test).id)
    under_test.assert_enqueued(add, 1, count=1)
    with bulk():
        add.delay(2)
        add.delay(3)
    assert under_test.drain() == (3, 0)


@pytest.mark.parametrize("ground", ["postgres", "mysql"], indirect=True)  # those of sqlite3 belong to one thread
def test_a_worker_with_threads_of_its_own(under_test: Harness) -> None:
    add.delay(1)
    assert under_test.worker().work_off() == (1, 0)


def _finished(under_test: Harness) -> Any:
    job = note_id.delay()
    under_test.perform(job)
    return job


def test_the_app_has_its_store_again(ground: Ground, connection: Any) -> None:
    with Backburner(ground.url, allow=["tests.testing"]) as app:
        store = app.store
        app.delay_jobs = False
        with harness(app, connection=connection) as under_test:
            assert under_test.delay_jobs is False
            app.delay_jobs = True
            add.delay(1)
            under_test.assert_enqueued(add)
        assert app.store is store
        connection.rollback()
        app.delay(add)(2)
        assert app.jobs.count() == 1


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "mysql"])
@pytest.mark.parametrize("source", ["session", "connection"])
def test_a_session_on_a_savepoint(kind: str, source: str, request: pytest.FixtureRequest) -> None:
    ground = ground_of(kind, request)
    engine = _engine(ground.url)
    with (
        Backburner(ground.url, allow=["tests.testing"]) as app,
        engine.connect() as connection,
        Session(connection, join_transaction_mode="create_savepoint") as session,
    ):
        app.migrate()
        transaction = connection.begin()
        with harness(app, connection=session if source == "session" else connection) as under_test:
            add.delay(1)
            add.options(connection=session).delay(2)
            if source == "session":
                under_test.assert_enqueued(add, 2)  # though it is not flushed yet
            session.commit()
            under_test.assert_enqueued(add, 2)
            assert under_test.drain() == (2, 0)
            assert done == [1, 2]
        transaction.rollback()
        assert (app.jobs.count(), app.jobs.count(state="succeeded")) == (0, 0)
    engine.dispose()


class Base(DeclarativeBase):
    """The tables of the records."""


class Member(Delayable, Base):
    __tablename__ = "members"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sqlalchemy.String(50))

    def rename(self, name: str) -> None:
        self.name = name


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "mysql"])
def test_records_of_a_session_on_a_savepoint(kind: str, request: pytest.FixtureRequest) -> None:
    ground = ground_of(kind, request)
    engine = _engine(ground.url)
    with Backburner(ground.url, allow=["tests.testing"]) as app, engine.connect() as connection:
        app.migrate()
        Base.metadata.create_all(engine)
        sessions = sessionmaker(connection, join_transaction_mode="create_savepoint")
        app.bind(sessions)
        transaction = connection.begin()
        with harness(app, connection=connection) as under_test, sessions() as session:
            member = Member(name="Ann")
            session.add(member)
            member.delay.rename("Anna")
            session.commit()
            under_test.assert_enqueued(member.rename, "Anna", count=1)
            assert under_test.drain() == (1, 0)
            session.refresh(member)
            assert member.name == "Anna"
        transaction.rollback()
        assert (app.jobs.count(), app.jobs.count(state="succeeded")) == (0, 0)
        assert connection.scalar(sqlalchemy.select(sqlalchemy.func.count()).select_from(Member)) == 0
    engine.dispose()


def _engine(url: str) -> sqlalchemy.Engine:
    kind, _, rest = url.partition("://")
    engine = sqlalchemy.create_engine(f"{DIALECTS[kind]}://{rest}")
    if kind == "sqlite":  # what SQLAlchemy's documentation asks for where savepoints are used
        event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def test_a_lender_of_a_librarys_own(tmp_path: Path) -> None:
    class Counting:
        def __init__(self) -> None:
            self.operations = 0

        def run(self, store: Store, op: Op[Any]) -> Any:
            self.operations += 1
            return store.run(op)

    lender = Counting()
    with (
        Backburner(f"sqlite:///{tmp_path}/shop.db", allow=["tests.testing"]) as app,
        harness(app, connection=lender) as under_test,
    ):
        add.delay(1)
        assert lender.operations == 1
        under_test.assert_enqueued(add)
        assert lender.operations > 1


@pytest.mark.parametrize("url", ["memory://", "sqlite:///:memory:"])
def test_jobs_that_are_in_memory(url: str) -> None:
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        Backburner(url) as app,
        pytest.raises(
            ConfigurationError, match=r"^expected an app whose jobs are in the database that connection= leads"
        ),
        harness(app, connection=connection),
    ):
        pass


def test_what_is_no_connection(tmp_path: Path) -> None:
    with (
        Backburner(f"sqlite:///{tmp_path}/shop.db") as app,
        pytest.raises(
            ConfigurationError,
            match=r"^expected connection= to be a connection of sqlite3, psycopg or PyMySQL, or a Session or "
            r"Connection of SQLAlchemy on one of these, got builtins\.int$",
        ),
        harness(app, connection=7),
    ):
        pass


def test_a_connection_to_another_database(tmp_path: Path) -> None:
    with (
        closing(sqlite3.connect(tmp_path / "other.db")) as connection,
        Backburner(f"sqlite:///{tmp_path}/shop.db", allow=["tests.testing"]) as app,
        harness(app, connection=connection),
        pytest.raises(ConfigurationError, match="expected connection= to be connected to the store's database"),
    ):
        add.delay(1)


class OnAConnection(BackburnerTestCase):
    """Makes a new file for each test, as the rollback is what is tested here."""

    def backburner_app(self, clock: Clock) -> Backburner:
        from tempfile import TemporaryDirectory

        self.path = f"{self.enterContext(TemporaryDirectory())}/shop.db"
        return Backburner(f"sqlite:///{self.path}", clock=clock)

    def backburner_connection(self) -> sqlite3.Connection:
        self.connection = self.enterContext(closing(sqlite3.connect(self.path)))
        return self.connection

    def test_rollback(self) -> None:
        add.delay(1)
        assert self.drain() == (1, 0)
        self.connection.rollback()
        assert self.backburner.jobs.count(state="succeeded") == 0


def test_under_unittest() -> None:
    result = run(OnAConnection)
    assert (result.errors, result.failures, result.testsRun) == ([], [], 1)
