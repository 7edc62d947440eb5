"""Every operation, every move of a job and every statement that has a name is really executed, in every store.

What stands in the code is seen by the coverage of lines. What stands in a file of SQL is not: it may be there and be
right, and nobody ever sends it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from backburner.core.errors import StoreUnavailable
from backburner.core.lifecycle import MOVES, Move, State
from backburner.core.ops import Copy, Many, Op, Reply, Statement
from backburner.core.ports import Insight, JobStore, Store, Upkeep
from backburner.core.times import system_now
from backburner.stores.memory.store import MemoryStore
from backburner.stores.sql.dialect import SQLITE, Dialect
from backburner.stores.sql.migrate import Migrator
from backburner.stores.sql.mysql.dialect import MYSQL
from backburner.stores.sql.mysql.migrator import MySQLMigrator
from backburner.stores.sql.mysql.store import MySQLStore
from backburner.stores.sql.mysql.together import Together
from backburner.stores.sql.mysql.url import parse as mysql_place
from backburner.stores.sql.names import Names
from backburner.stores.sql.postgres.dialect import POSTGRES
from backburner.stores.sql.postgres.store import PostgresStore
from backburner.stores.sql.postgres.url import parse as postgres_place
from backburner.stores.sql.sqlite.store import SQLiteStore
from backburner.stores.sql.statements import statements_of
from backburner.testing.contract.driving import ManualClock, new_job
from tests.servers.mysql import MySQL
from tests.servers.postgres import Postgres
from tests.stores.book import Book, Marked, NotedMigrator
from tests.stores.life import PARTS, Made, Watched, lose_their_workers, moves_made, next_id

NOBODY_MAKES = {(Move.UNBLOCK, State.BLOCKED, State.QUEUED)}
"""A store makes it when what a job waited for is done; in this version there is nothing that a job could wait for."""

MOVES_MADE = {(move, begin, end) for move, (begins, end) in MOVES.items() for begin in begins} - NOBODY_MAKES

OPERATIONS = {name for port in (JobStore, Upkeep, Insight) for name in vars(port) if not name.startswith("_")}


class Migrations(NotedMigrator, Migrator):
    """Those of SQLite and PostgreSQL."""


class MySQLMigrations(NotedMigrator, MySQLMigrator):
    """Those of MySQL."""


class MarkedSQLite(Marked, SQLiteStore):
    """Its statements say their names."""


class MarkedPostgres(Marked, PostgresStore):
    """Its statements say their names."""


class MarkedMySQL(Marked, MySQLStore):
    """Its statements say their names."""


class Lived(NamedTuple):
    """What was seen of the life of jobs in one store."""

    life: Watched
    book: Book
    dialect: Dialect | None
    """None: this store has no statements."""
    migrations: set[str]
    """Their statements."""

    @property
    def never_called(self) -> set[str]:
        return OPERATIONS - self.life.operations

    @property
    def never_made(self) -> set[Made]:
        return MOVES_MADE - self.life.moves

    @property
    def never_executed(self) -> set[str]:
        """The names of statements, and the whole text of those of migrations, which have none."""
        assert self.dialect is not None
        return (statements_of(self.dialect, Names()).keys() - self.book.names) | (self.migrations - self.book.texts)


Parts = tuple[Callable[[Watched], None], ...]


def lived_in(store: Store, clock: ManualClock, book: Book, dialect: Dialect | None, parts: Parts = PARTS) -> Lived:
    life = Watched(store, clock, lambda op: store.run(book.noting(op)))
    for part in parts:
        part(life)
    return Lived(life, book, dialect, {text for step in store.migration_steps() for text in step.statements})


@pytest.fixture(scope="module")
def memory() -> Lived:
    clock = ManualClock()
    return lived_in(MemoryStore(clock=clock), clock, Book(), None)


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    return lived_in_sqlite(str(tmp_path_factory.mktemp("life") / "shop.db"))


@pytest.fixture(scope="module")
def postgres(postgres_server: Postgres) -> Lived:
    book, clock = Book(), ManualClock()
    with postgres_server.fresh_database() as url:
        for place, time in ((url, clock), (url, None), (f"{url}?schema=apart", None)):
            migrator = Migrations(book, POSTGRES, names=postgres_place(place, place).names)
            with closing(MarkedPostgres(postgres_place(place, place), clock=time, migrator=migrator)) as store:
                store.migrate()
                if time is None:
                    keep_days(store, book)
                    enqueue_now(store, book)
                else:
                    found = lived_in(store, clock, book, POSTGRES)
    return found


def keep_days(store: PostgresStore, book: Book) -> None:
    """Make the partitions of the next days and drop them: only the server's own clock says which days those are."""
    for before in (system_now(), system_now() + timedelta(days=9)):
        store.run(book.noting(store.prune(before)))


def enqueue_now(store: PostgresStore, book: Book) -> None:
    """Enqueue a job as applications do, which have no clock of their own."""
    job = new_job(system_now(), id=next_id(), max_run_time=timedelta(hours=4))
    store.run(book.noting(store.enqueue([job])))


@pytest.fixture(scope="module")
def mysql(mysql_server: MySQL) -> Lived:
    book, clock = Book(), ManualClock()
    with mysql_server.fresh_database() as url:
        migrator = MySQLMigrations(book, MYSQL)
        with closing(MarkedMySQL(mysql_place(url, url), clock=clock, migrator=migrator)) as store:
            store.migrate()
            return lived_in(store, clock, book, MYSQL)


def lived_in_sqlite(path: str, parts: Parts = PARTS) -> Lived:
    book, clock = Book(), ManualClock()
    with closing(MarkedSQLite(path, clock=clock, migrator=Migrations(book, SQLITE))) as store:
        store.migrate()
        return lived_in(store, clock, book, SQLITE, parts)


WITH_STATEMENTS = ("sqlite", "postgres", "mysql")


@pytest.fixture(scope="module", params=["memory", *WITH_STATEMENTS])
def lived(request: pytest.FixtureRequest) -> Lived:
    found: Lived = request.getfixturevalue(request.param)
    return found


def test_every_operation_is_called(lived: Lived) -> None:
    assert lived.never_called == set()


def test_every_move_is_made(lived: Lived) -> None:
    assert lived.never_made == set()
    assert lived.life.moves & NOBODY_MAKES == set()


@pytest.mark.parametrize("lived", WITH_STATEMENTS, indirect=True)
def test_every_statement_is_executed(lived: Lived) -> None:
    assert lived.never_executed == set()


# What is missing is named.


def test_a_life_in_which_no_worker_is_lost_lacks_something(tmp_path: Path) -> None:
    others = tuple(part for part in PARTS if part is not lose_their_workers)
    found = lived_in_sqlite(str(tmp_path / "shop.db"), others)
    assert found.never_called == {"retire", "rescue", "bury"}
    assert found.never_made == {(Move.RESCUE, State.RUNNING, State.QUEUED)}
    assert found.never_executed == {"strike_off", "strike_off_silent", "held_by", "count_crash"}


def test_a_migration_that_is_not_applied_is_missing(tmp_path: Path) -> None:
    book = Book()
    migrator = Migrations(book, SQLITE)
    with closing(MarkedSQLite(str(tmp_path / "shop.db"), migrator=migrator)) as store:
        assert store.schema_state().found == 0
        steps = {text for step in migrator.steps() for text in step.statements}
    assert steps & book.texts == set()
    assert book.names == set()


def test_what_was_not_executed_is_not_noted() -> None:
    book = Book()

    def operation() -> Op[None]:
        yield Statement("SELECT 1 /* first */")
        yield Copy("COPY /* refused */", (), ())
        yield Together([Statement("SELECT 2 /* second */"), Statement("SELECT 3 /* third */ FROM b /* part */")])
        yield Many("SELECT 4 /* failed */", [])

    op = book.noting(operation())
    assert next(op)
    assert book.names == set()
    assert op.send(Reply((), 0))
    assert op.send(None)
    assert op.send([Reply((), 0)] * 2)
    with pytest.raises(StoreUnavailable):
        op.throw(StoreUnavailable("gone"))
    assert book.names == {"first", "second", "third", "part"}


def test_a_move_that_is_not_in_the_table_is_not_passed_over() -> None:
    job = new_job(state=State.FAILED)
    with pytest.raises(AssertionError, match="from failed to running"):
        list(moves_made({job.id: job}, {job.id: replace(job, state=State.RUNNING)}, lambda _: Move.CLAIM))


def test_a_job_that_ends_otherwise_than_was_asked_for_has_made_the_other_move() -> None:
    job = new_job(state=State.RUNNING)
    after = replace(job, state=State.CANCELLED)
    made = moves_made({job.id: job}, {job.id: after}, lambda _: Move.RETRY)
    assert list(made) == [(Move.CANCEL, State.RUNNING, State.CANCELLED)]
