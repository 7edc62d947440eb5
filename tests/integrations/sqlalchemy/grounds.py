"""The databases that the integration is tested on, each with a driver of SQLAlchemy's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, create_engine, event, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

from backburner import Backburner
from backburner.app import use
from tests.integrations.sqlalchemy import models

LIMIT = 20.0
"""Seconds that anything is waited for."""

SYNC = ["sqlite", "psycopg", "psycopg2", "pymysql"]
ASYNC = ["aiosqlite", "asyncpg", "psycopg_async", "asyncmy"]

DIALECTS = {
    "sqlite": "sqlite",
    "aiosqlite": "sqlite+aiosqlite",
    "psycopg": "postgresql+psycopg",
    "psycopg2": "postgresql+psycopg2",
    "psycopg_async": "postgresql+psycopg_async",
    "asyncpg": "postgresql+asyncpg",
    "pymysql": "mysql+pymysql",
    "asyncmy": "mysql+asyncmy",
}


@dataclass
class Ground:
    """An application with its database, and an app whose jobs are kept in it."""

    url: str
    engine: Engine
    sessions: sessionmaker[Session]
    app: Backburner

    def names(self) -> list[str]:
        """The users that are committed."""
        with self.sessions() as session:
            return sorted(session.scalars(select(models.User.name)))

    def jobs(self) -> int:
        """How many jobs are committed."""
        return self.app.jobs.count()

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """The statements that are executed within the block."""
        with listening(self.engine) as statements:
            yield statements


@contextmanager
def sleepy_worker(app: Backburner) -> Iterator[threading.Event]:
    """Run a worker that looks by itself only once in a minute; the event is set when it has performed a job."""
    done = threading.Event()
    app.after("perform")(lambda worker, job: done.set())
    worker = app.worker(sleep_delay=60)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield done
    finally:
        worker.stop()
        thread.join(LIMIT)


@dataclass
class AsyncGround:
    """The same with asyncio: what is looked at blocks."""

    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    app: Backburner
    plain: Ground = field(repr=False)

    def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run what an application does in its event loop."""

        async def run() -> None:
            try:
                await coroutine
            finally:
                await self.engine.dispose()

        asyncio.run(run())


class Places:
    """Databases that tests use one after the other: to make one takes longer than most tests."""

    def __init__(self) -> None:
        self._urls: dict[str, str] = {}
        self._made = ExitStack()

    def url(self, driver: str, request: Any, tmp_path: Any) -> str:
        """The URL of a database for a driver, as backburner takes it."""
        dialect = DIALECTS[driver].partition("+")[0]
        if dialect == "sqlite":
            return f"sqlite:///{tmp_path}/shop.db"
        if dialect not in self._urls:
            server = request.getfixturevalue({"postgresql": "postgres_server", "mysql": "mysql_server"}[dialect])
            self._urls[dialect] = self._made.enter_context(server.fresh_database())
        return self._urls[dialect]

    def close(self) -> None:
        self._made.close()


def with_driver(url: str, driver: str) -> str:
    return f"{DIALECTS[driver]}:{url.partition(':')[2]}"


@contextmanager
def ground(url: str, driver: str, **settings: Any) -> Iterator[Ground]:
    engine = create_engine(with_driver(url, driver))
    begin_as_told(engine)
    models.Base.metadata.create_all(engine)
    with Backburner(url, allow=["tests.integrations.sqlalchemy"], **settings) as app, use(app):
        app.migrate()
        make_empty(engine, app)
        yield Ground(url, engine, sessionmaker(engine), app)
    engine.dispose()


@contextmanager
def async_ground(url: str, driver: str) -> Iterator[AsyncGround]:
    plain = {"aiosqlite": "sqlite", "asyncmy": "pymysql"}.get(driver, "psycopg")
    with ground(url, plain) as looked_at:
        engine = create_async_engine(with_driver(url, driver))
        begin_as_told(engine.sync_engine, "BEGIN IMMEDIATE")  # jobs that read before they write, several at once
        yield AsyncGround(engine, async_sessionmaker(engine), looked_at.app, looked_at)


def make_empty(engine: Engine, app: Backburner) -> None:
    with engine.begin() as connection:
        for table in reversed(models.Base.metadata.sorted_tables):
            connection.execute(table.delete())
    app.jobs.clear()


def begin_as_told(engine: Engine, begin: str = "BEGIN") -> None:
    """Let Python's sqlite3 begin transactions when SQLAlchemy says so; by itself it does not know of savepoints."""
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def connected(connection: Any, record: Any) -> None:
            connection.isolation_level = None

        @event.listens_for(engine, "begin")
        def begun(connection: Any) -> None:
            connection.exec_driver_sql(begin)


@contextmanager
def listening(engine: Engine) -> Iterator[list[str]]:
    statements: list[str] = []

    def executed(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", executed)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", executed)
