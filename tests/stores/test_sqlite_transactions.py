"""Enqueueing on the application's own sqlite3 connection, whatever state that connection is in."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import pytest

from backburner.core.errors import ConfigurationError, SchemaMissing, StoreUnavailable
from backburner.core.lifecycle import Move
from backburner.core.ports import ClaimRequest, JobFilter, Settlement, WorkerInfo, lease_of
from backburner.core.times import system_now
from backburner.stores.sql.sqlite.store import SQLiteStore
from backburner.testing.contract.driving import new_job


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shop.db"


@pytest.fixture
def store(path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(str(path), patience=0.2)
    yield store
    store.close()


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE things (name TEXT)")
        yield connection


class Overtaken(sqlite3.Connection):
    """A connection after each of whose looks somebody else writes, if the lock is free."""

    def cursor(self, *_: object) -> sqlite3.Cursor:  # type: ignore[override] # no factory is asked for
        return OvertakenCursor(self)

    def overtake(self) -> None:
        file = self.execute("PRAGMA database_list").fetchone()[2]
        with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as other:
            try:
                other.execute("INSERT INTO backburner_queues (name) VALUES (hex(randomblob(8)))")
            except sqlite3.OperationalError as error:
                assert "locked" in str(error)  # noqa: PT017 # that is how it should be


class OvertakenCursor(sqlite3.Cursor):
    def execute(self, statement: str, parameters: Any = ()) -> Self:
        super().execute(statement, parameters)
        if statement.startswith("SELECT"):
            assert isinstance(self.connection, Overtaken)
            self.connection.overtake()
        return self


def count(store: SQLiteStore) -> int:
    return store.run(store.count(JobFilter()))


def test_the_first_job_of_all_is_enqueued_inside_a_transaction(
    store: SQLiteStore, connection: sqlite3.Connection
) -> None:
    connection.execute("INSERT INTO things VALUES ('hammer')")
    store.run(store.enqueue([new_job()]), connection)
    assert connection.in_transaction
    connection.commit()
    assert count(store) == 1


def test_the_tables_go_with_the_transaction_that_made_them(store: SQLiteStore, connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO things VALUES ('hammer')")
    store.run(store.enqueue([new_job()]), connection)
    connection.rollback()
    assert tables_of(connection) == {"things"}
    store.run(store.enqueue([new_job()]), connection)
    connection.commit()
    assert count(store) == 1


def test_the_first_job_of_all_may_begin_the_transaction(store: SQLiteStore, connection: sqlite3.Connection) -> None:
    store.run(store.enqueue([new_job()]), connection)
    assert connection.in_transaction
    connection.rollback()
    assert count(store) == 0


def test_a_savepoint_that_is_rolled_back_drops_its_jobs(store: SQLiteStore, connection: sqlite3.Connection) -> None:
    connection.isolation_level = None
    store.migrate()
    connection.execute("BEGIN")
    kept, dropped = new_job(), new_job()
    store.run(store.enqueue([kept]), connection)
    connection.execute("SAVEPOINT inner")
    store.run(store.enqueue([dropped, new_job()]), connection)
    connection.execute("ROLLBACK TO inner")
    connection.execute("COMMIT")
    assert store.run(store.find(JobFilter())) == [kept]


@pytest.mark.parametrize("number", [1, 3])
def test_a_transaction_that_has_done_nothing_yet_is_not_overtaken(store: SQLiteStore, path: Path, number: int) -> None:
    """Had it read first, and had somebody written since, SQLite would refuse it the write lock without waiting."""
    store.migrate()
    store.close()
    with closing(sqlite3.connect(path, factory=Overtaken, isolation_level=None, timeout=0)) as overtaken:
        overtaken.execute("BEGIN")
        store.run(store.enqueue([new_job() for _ in range(number)]), overtaken)
        overtaken.execute("COMMIT")
    assert count(store) == number


def test_a_connection_that_commits_every_statement_commits_the_job(
    store: SQLiteStore, connection: sqlite3.Connection
) -> None:
    connection.isolation_level = None
    store.run(store.enqueue([new_job()]), connection)
    store.run(store.enqueue([new_job(), new_job()]), connection)
    assert not connection.in_transaction
    assert count(store) == 3


def test_on_such_a_connection_an_operation_is_done_whole_or_not_at_all(
    store: SQLiteStore, connection: sqlite3.Connection
) -> None:
    connection.isolation_level = None
    broken = new_job()
    broken.queue = None  # type: ignore[assignment] # which the table refuses
    with pytest.raises(StoreUnavailable, match="NOT NULL"):
        store.run(store.enqueue([new_job(), broken]), connection)
    assert not connection.in_transaction
    assert count(store) == 0


@pytest.mark.skipif(not hasattr(sqlite3, "LEGACY_TRANSACTION_CONTROL"), reason="Python 3.12 has another way to commit")
@pytest.mark.parametrize("commits", [True, False])
def test_the_newer_way_to_commit(store: SQLiteStore, path: Path, commits: bool) -> None:
    options: dict[str, Any] = {"autocommit": commits}
    with closing(sqlite3.connect(path, **options)) as connection:
        store.run(store.enqueue([new_job(), new_job()]), connection)
        assert connection.in_transaction is not commits
        connection.commit()
    assert count(store) == 2


def test_the_connection_is_left_as_it_was(store: SQLiteStore, connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    connection.text_factory = bytes
    job = new_job()
    store.run(store.enqueue([job]), connection)
    assert store.run(store.get(job.id), connection) == job
    assert connection.row_factory is sqlite3.Row
    assert connection.text_factory is bytes
    connection.rollback()


def test_a_worker_may_work_on_the_callers_connection(store: SQLiteStore, connection: sqlite3.Connection) -> None:
    job = new_job(system_now())
    store.run(store.enqueue([job]))
    number = store.run(store.register(WorkerInfo("ann", "host", 1, None, 1)), connection)
    claimed = store.run(store.claim(ClaimRequest(lease_of(number, 1), "ann", 5)), connection)
    assert [each.id for each in claimed.jobs] == [job.id]
    connection.execute("INSERT INTO things VALUES ('done exactly once')")
    store.run(store.settle([Settlement(job.id, lease_of(number, 1), Move.FINISH)]), connection)
    connection.commit()
    assert count(store) == 0


def test_reading_does_not_wait_for_the_callers_transaction(store: SQLiteStore, connection: sqlite3.Connection) -> None:
    store.migrate()
    store.run(store.enqueue([new_job()]), connection)
    assert count(store) == 0
    connection.commit()
    assert count(store) == 1


def test_reading_a_file_without_a_log_does_not_wait_either(store: SQLiteStore, connection: sqlite3.Connection) -> None:
    store.migrate()
    store.close()
    connection.execute("PRAGMA journal_mode = DELETE")
    store.run(store.enqueue([new_job()]), connection)
    assert count(store) == 0
    connection.commit()
    assert count(store) == 1
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_writing_without_the_connection_that_holds_the_lock_says_what_to_do(
    store: SQLiteStore, connection: sqlite3.Connection
) -> None:
    store.migrate()
    connection.execute("INSERT INTO things VALUES ('hammer')")
    with pytest.raises(StoreUnavailable, match=r"locked by another connection for 0\.2 s.*pass its connection="):
        store.run(store.enqueue([new_job()]))
    connection.commit()
    store.run(store.enqueue([new_job()]))
    assert count(store) == 1


def test_a_connection_to_another_file_is_refused(store: SQLiteStore, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        with pytest.raises(ConfigurationError) as refused:
            store.run(store.enqueue([new_job()]), connection)
        assert f"{tmp_path}/shop.db, got one to {tmp_path}/other.db" in str(refused.value)
        assert tables_of(connection) == set()


def test_a_connection_to_memory_is_refused(store: SQLiteStore) -> None:
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises(ConfigurationError, match="got one to a database in memory"),
    ):
        store.run(store.enqueue([new_job()]), connection)


def test_a_file_may_be_reached_by_several_paths(store: SQLiteStore, tmp_path: Path) -> None:
    store.migrate()
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    with (
        closing(SQLiteStore(str(tmp_path / "link" / "shop.db"))) as other,
        closing(sqlite3.connect(tmp_path / "shop.db")) as connection,
    ):
        other.run(other.enqueue([new_job()]), connection)
        connection.commit()
    assert count(store) == 1


@pytest.mark.parametrize("connection", ["sqlite:///shop.db", 7, object()])
def test_what_is_no_connection_is_refused(store: SQLiteStore, connection: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"sqlite3.Connection to .*, got {type(connection).__name__}"):
        store.run(store.enqueue([new_job()]), connection)


def test_a_closed_connection_is_refused(store: SQLiteStore, connection: sqlite3.Connection) -> None:
    connection.close()
    with pytest.raises(ConfigurationError, match="Cannot operate on a closed database"):
        store.run(store.enqueue([new_job()]), connection)


def test_a_connection_of_another_thread_is_refused(store: SQLiteStore, connection: sqlite3.Connection) -> None:
    errors: list[BaseException] = []

    def enqueue() -> None:
        try:
            store.run(store.enqueue([new_job()]), connection)
        except ConfigurationError as error:
            errors.append(error)

    thread = threading.Thread(target=enqueue)
    thread.start()
    thread.join()
    assert "can only be used in that same thread" in str(errors[0])


def test_a_database_in_memory_joins_nothing() -> None:
    store = SQLiteStore(":memory:")
    with closing(sqlite3.connect(":memory:")) as connection, pytest.raises(ConfigurationError, match="memory"):
        store.run(store.enqueue([new_job()]), connection)
    store.close()


def test_an_awaited_operation_uses_the_connection_in_its_own_thread(
    store: SQLiteStore, connection: sqlite3.Connection
) -> None:
    async def enqueue() -> None:
        await store.arun(store.enqueue([new_job()]), connection)

    asyncio.run(enqueue())
    assert count(store) == 0
    connection.commit()
    assert count(store) == 1


def test_tables_that_were_dropped_are_made_again(store: SQLiteStore, connection: sqlite3.Connection) -> None:
    store.run(store.enqueue([new_job()]))
    for table in tables_of(connection) - {"things", "sqlite_sequence"}:
        connection.execute(f"DROP TABLE {table}")
    connection.commit()
    with pytest.raises(SchemaMissing, match="no such table"):
        count(store)
    assert count(store) == 0


def tables_of(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name if isinstance(name, str) else name.decode() for (name,) in rows}
