"""The tables are made, upgraded, and left alone when they are newer than the code."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest

from backburner.core.errors import BackburnerError, SchemaMissing
from backburner.core.ports import JobFilter
from backburner.stores.sql.dialect import SQLITE
from backburner.stores.sql.migrate import Migration, Migrator
from backburner.stores.sql.sqlite.store import SQLiteStore
from backburner.testing.contract.driving import START, new_job

FIRST = "0001_jobs"
SECOND = "0002_colours"

Open = Callable[..., SQLiteStore]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shop.db"


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """Return the migrations of a version that is still to come."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    own = files("backburner.stores.sql").joinpath("sqlite", "migrations")
    for file in own.iterdir():
        (folder / file.name).write_text(file.read_text())
    (folder / f"{SECOND}.sql").write_text(
        """
        -- Jobs get a colour; a comment may hold a semicolon; so what
        ALTER TABLE backburner_jobs ADD COLUMN colour TEXT NOT NULL DEFAULT 'red;';  -- like this
        UPDATE backburner_jobs SET colour = 'blue' WHERE queue = 'mail';
        CREATE TABLE backburner_colours (
            name TEXT NOT NULL  -- "red"
        );
        """.replace("  -- like this", "")
    )
    (folder / "README.md").write_text("not a migration")
    return folder


@pytest.fixture
def open_store(path: Path) -> Iterator[Open]:
    stores = []

    def open_one(folder: Path | None = None) -> SQLiteStore:
        migrator = Migrator(SQLITE, folder) if folder else None
        stores.append(SQLiteStore(str(path), patience=5, migrator=migrator, clock=lambda: START))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


def test_the_tables_are_made_at_first_use(open_store: Open, path: Path) -> None:
    store = open_store()
    assert (store.schema_state().found, store.schema_state().needed) == (0, 1)
    assert not path.exists()
    assert store.run(store.count(JobFilter())) == 0
    assert store.schema_state().is_current
    assert versions(path) == [(1, FIRST)]


def test_migrating_says_what_it_did(open_store: Open) -> None:
    store = open_store()
    assert store.migrate() == [FIRST]
    assert store.migrate() == []
    assert open_store().migrate() == []


def test_an_upgrade_keeps_the_jobs(open_store: Open, path: Path, later: Path) -> None:
    old = open_store()
    jobs = [new_job(queue=queue) for queue in ("mail", "default")]
    old.run(old.enqueue(jobs))
    new = open_store(later)
    assert (new.schema_state().found, new.schema_state().needed) == (1, 2)
    assert new.run(new.find(JobFilter())) == jobs
    assert versions(path) == [(1, FIRST), (2, SECOND)]
    assert select(path, "SELECT queue, colour FROM backburner_jobs ORDER BY id") == [
        ("mail", "blue"),
        ("default", "red;"),
    ]


def test_an_empty_database_gets_all_at_once(open_store: Open, later: Path) -> None:
    assert open_store(later).migrate() == [FIRST, SECOND]


def test_an_upgrade_at_first_use_inside_the_callers_transaction(open_store: Open, path: Path, later: Path) -> None:
    open_store().migrate()
    new = open_store(later)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE things (name TEXT)")
        connection.execute("INSERT INTO things VALUES ('hammer')")
        new.run(new.enqueue([new_job()]), connection)
        assert connection.in_transaction
        connection.rollback()
    assert versions(path) == [(1, FIRST)]


def test_tables_of_a_newer_version_are_refused(open_store: Open, path: Path, later: Path) -> None:
    open_store(later).migrate()
    old = open_store()
    for attempt in (lambda: old.run(old.count(JobFilter())), old.migrate):
        with pytest.raises(SchemaMissing, match=r"expected version 1 of the tables, got 2; upgrade backburner"):
            attempt()
    with closing(sqlite3.connect(path)) as connection, pytest.raises(SchemaMissing, match="got 2"):
        old.run(old.enqueue([new_job()]), connection)
    assert old.schema_state().found == 2


def test_old_code_goes_on_with_newer_tables_that_say_so(open_store: Open, path: Path, later: Path) -> None:
    file = later / f"{SECOND}.sql"
    file.write_text(f"-- Works with code that expects version 1.\n{file.read_text()}")
    open_store(later).migrate()
    old = open_store()
    assert (old.schema_state().found, old.schema_state().needed, old.schema_state().is_current) == (2, 1, True)
    old.run(old.enqueue([new_job()]))
    assert (old.run(old.count(JobFilter())), old.migrate()) == (1, [])


def test_an_upgrade_that_fails_changes_nothing(open_store: Open, path: Path, later: Path) -> None:
    old = open_store()
    old.run(old.enqueue([new_job()]))
    (later / "0003_broken.sql").write_text(
        "CREATE TABLE backburner_third (name TEXT);\nINSERT INTO nowhere VALUES (1);"
    )
    new = open_store(later)
    with pytest.raises(BackburnerError, match="no such table: nowhere"):
        new.migrate()
    assert versions(path) == [(1, FIRST)]
    assert "backburner_third" not in tables(path)
    assert old.run(old.count(JobFilter())) == 1


def test_many_may_migrate_at_once(open_store: Open, path: Path, later: Path) -> None:
    stores = [open_store(later) for _ in range(8)]
    ready = threading.Barrier(len(stores))
    applied: list[list[str]] = []
    errors: list[BaseException] = []

    def migrate(store: SQLiteStore) -> None:
        ready.wait(20)
        try:
            applied.append(store.migrate())
        except BackburnerError as error:
            errors.append(error)

    threads = [threading.Thread(target=migrate, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(applied) == [[]] * (len(stores) - 1) + [[FIRST, SECOND]]
    assert versions(path) == [(1, FIRST), (2, SECOND)]


def test_the_script_makes_what_migrating_makes(open_store: Open, path: Path, later: Path, tmp_path: Path) -> None:
    store = open_store(later)
    store.migrate()
    with closing(sqlite3.connect(tmp_path / "by_hand.db")) as connection:
        connection.executescript(store.migration_sql())
    assert schema(tmp_path / "by_hand.db") == schema(path)
    assert versions(tmp_path / "by_hand.db") == versions(path)


def test_the_application_keeps_what_is_its_own(open_store: Open, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 42")
        connection.execute("CREATE TABLE jobs (name TEXT)")
        connection.commit()
    open_store().migrate()
    assert select(path, "PRAGMA user_version") == [(42,)]
    ours = tables(path) - {"jobs", "sqlite_sequence"}
    assert all(name.startswith("backburner_") for name in ours)


def test_a_statement_ends_with_a_semicolon_at_the_end_of_a_line() -> None:
    source = "-- a; b\nCREATE TABLE a (\n  x TEXT -- ; not the end\n);\n\nINSERT INTO a VALUES (';');\n-- the end\n"
    create, insert = Migration(1, "0001_a", source).statements()
    assert create.endswith(")")
    assert insert == "INSERT INTO a VALUES (';')"


def test_the_files_are_numbered_without_gaps() -> None:
    folder = files("backburner.stores.sql").joinpath("sqlite", "migrations")
    numbers = sorted(int(file.name[:4]) for file in folder.iterdir() if file.name.endswith(".sql"))
    assert numbers == list(range(1, len(numbers) + 1))


def select(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def versions(path: Path) -> list[tuple[object, ...]]:
    return select(path, "SELECT version, name FROM backburner_schema ORDER BY version")


def tables(path: Path) -> set[str]:
    return {str(name) for (name,) in select(path, "SELECT name FROM sqlite_master WHERE type = 'table'")}


def schema(path: Path) -> list[tuple[object, ...]]:
    rows = select(path, "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name")
    return [(*rest, " ".join(str(sql).split())) for *rest, sql in rows]
