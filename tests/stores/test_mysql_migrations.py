"""The tables are made, upgraded, and left alone when they are newer than the code, though nothing can be undone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from backburner.core.errors import BackburnerError, SchemaMissing, StoreUnavailable
from backburner.core.lifecycle import Move, State
from backburner.core.ports import ClaimRequest, JobFilter, Settlement, WorkerInfo, lease_of
from backburner.core.times import system_now
from backburner.stores.open import open_store
from backburner.stores.sql.mysql import store as mysql_store
from backburner.stores.sql.mysql.dialect import MYSQL
from backburner.stores.sql.mysql.migrator import MySQLMigrator
from backburner.stores.sql.mysql.store import MySQLStore
from backburner.stores.sql.mysql.url import parse
from backburner.stores.sql.names import LONGEST
from backburner.testing.contract.driving import new_job
from tests.servers.mysql import MySQL
from tests.stores.mysql import connect

FIRST = "0001_jobs"
SECOND = "0002_colours"
PATIENCE = 50.0

UPGRADE = """
-- Jobs get a colour; a comment may hold a semicolon; so what
ALTER TABLE backburner_jobs ADD COLUMN colour VARCHAR(10) NOT NULL DEFAULT 'red;';
UPDATE backburner_jobs SET colour = 'blue' WHERE queue = 'mail';
CREATE TABLE IF NOT EXISTS backburner_colours (
    name TEXT NOT NULL  -- "red"
);
"""

Open = Callable[..., MySQLStore]


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """Return the migrations of a version that is still to come."""
    own = files("backburner.stores.sql").joinpath("mysql", "migrations")
    for file in own.iterdir():
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / f"{SECOND}.sql").write_text(UPGRADE)
    (tmp_path / "README.md").write_text("not a migration")
    return tmp_path


@pytest.fixture
def opened(mysql_url: str) -> Iterator[Open]:
    stores = []

    def open_one(folder: Path | None = None, options: str = "") -> MySQLStore:
        place = parse(mysql_url + options, mysql_url + options)
        migrator = MySQLMigrator(MYSQL, folder, names=place.names) if folder else None
        stores.append(MySQLStore(place, migrator=migrator))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


@pytest.fixture
def do(mysql_url: str) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """A function that executes a statement in the database."""
    with closing(connect(mysql_url, autocommit=True)) as connection, connection.cursor() as cursor:

        def execute(text: str, *parameters: object) -> list[tuple[Any, ...]]:
            cursor.execute(text, parameters or None)
            return list(cursor.fetchall())

        yield execute


Do = Callable[..., list[tuple[Any, ...]]]


def versions(do: Do) -> list[tuple[Any, ...]]:
    return do("SELECT version, name FROM backburner_schema ORDER BY version")


def tables(do: Do) -> dict[str, list[str]]:
    """Return how each table was made, a line each for what it consists of."""
    names = [name for (name,) in do("SHOW TABLES")]
    return {name: do(f"SHOW CREATE TABLE `{name}`")[0][1].splitlines() for name in names}


def works(store: MySQLStore) -> None:
    """Take a job through its life."""
    job = new_job(system_now())
    store.run(store.enqueue([job]))
    number = store.run(store.register(WorkerInfo("ann", "host", 1, None, 1)))
    request = ClaimRequest(lease_of(number, 1), "ann", 5)
    claimed = store.run(store.claim(request)).jobs
    assert [each.id for each in claimed] == [job.id]
    assert store.run(store.settle([Settlement(job.id, request.lease, Move.FAIL, error="why")])) == []
    assert store.run(store.requeue_all(JobFilter())) == 1
    store.run(store.pause("mail"))
    assert [queue.name for queue in store.run(store.queues())] == ["default", "mail"]
    assert store.run(store.cancel(job.id)).state is State.CANCELLED
    assert store.run(store.retire(number)) == 0
    assert store.run(store.prune(store.now())) == 1


def test_nothing_is_made_before_migrating(opened: Open, do: Do) -> None:
    store = opened()
    assert (store.schema_state().found, store.schema_state().needed) == (0, 1)
    with pytest.raises(SchemaMissing, match="run `backburner migrate`"):
        store.run(store.count(JobFilter()))
    assert do("SHOW TABLES") == []


def test_migrating_says_what_it_did(opened: Open, do: Do) -> None:
    store = opened()
    assert store.migrate() == [FIRST]
    assert store.migrate() == []
    assert opened().migrate() == []
    assert versions(do) == [(1, FIRST)]
    assert store.schema_state().is_current
    works(store)


def test_an_upgrade_keeps_the_jobs(opened: Open, do: Do, later: Path) -> None:
    old = opened()
    old.migrate()
    jobs = [new_job(queue=queue) for queue in ("mail", "default")]
    old.run(old.enqueue(jobs))
    new = opened(later)
    assert (new.schema_state().found, new.schema_state().needed) == (1, 2)
    with pytest.raises(SchemaMissing, match="are of version 1, and this code needs 2: run `backburner migrate`"):
        new.run(new.count(JobFilter()))
    assert new.migrate() == [SECOND]
    assert {job.id for job in new.run(new.find(JobFilter()))} == {job.id for job in jobs}
    assert versions(do) == [(1, FIRST), (2, SECOND)]
    assert do("SELECT queue, colour FROM backburner_jobs ORDER BY id") == [("mail", "blue"), ("default", "red;")]


def test_an_empty_database_gets_all_at_once(opened: Open, later: Path) -> None:
    assert opened(later).migrate() == [FIRST, SECOND]


def test_tables_of_a_newer_version_are_refused(opened: Open, later: Path) -> None:
    opened(later).migrate()
    old = opened()
    for attempt in (lambda: old.run(old.count(JobFilter())), old.migrate):
        with pytest.raises(SchemaMissing, match=r"expected version 1 of the tables, got 2; upgrade backburner"):
            attempt()
    assert old.schema_state().found == 2


def test_old_code_goes_on_with_newer_tables_that_say_so(opened: Open, later: Path) -> None:
    (later / f"{SECOND}.sql").write_text(f"-- Works with code that expects version 1.\n{UPGRADE}")
    opened(later).migrate()
    old = opened()
    assert (old.schema_state().found, old.schema_state().needed, old.schema_state().is_current) == (2, 1, True)
    assert old.migrate() == []
    works(old)


# Interruptions.


def test_an_upgrade_that_fails_half_way_is_taken_up_again(opened: Open, do: Do, later: Path) -> None:
    third = later / "0003_broken.sql"
    third.write_text("CREATE TABLE IF NOT EXISTS backburner_third (name TEXT);\nINSERT INTO nowhere VALUES (1);")
    new = opened(later)
    with pytest.raises(BackburnerError, match="nowhere' doesn't exist"):
        new.migrate()
    assert versions(do) == [(1, FIRST), (2, SECOND)]
    assert do("SELECT IS_FREE_LOCK(CONCAT(LEFT(DATABASE(), 20), '.backburner_schema'))") == [(1,)]
    third.write_text(
        "CREATE TABLE IF NOT EXISTS backburner_third (name TEXT);\nINSERT INTO backburner_third VALUES ('a');"
    )
    assert opened(later).migrate() == ["0003_broken"]
    assert do("SELECT * FROM backburner_third") == [("a",)]


@pytest.mark.parametrize("statements", range(1, 8))
def test_a_first_migration_that_was_cut_off_anywhere_is_taken_up_again(
    opened: Open, do: Do, later: Path, statements: int
) -> None:
    store = opened()
    script = store.migration_sql()
    for text in script.split(";\n")[:statements]:
        do(text)
    assert store.schema_state().found == 0
    with pytest.raises(SchemaMissing, match="run `backburner migrate`"):
        store.run(store.count(JobFilter()))
    assert store.migrate() == [FIRST]
    works(store)


@pytest.mark.parametrize("statements", range(1, 6))
def test_an_upgrade_that_was_cut_off_anywhere_is_taken_up_again(
    opened: Open, do: Do, later: Path, statements: int
) -> None:
    opened().migrate()
    more = [
        "ALTER TABLE backburner_jobs ADD KEY by_name (name(50));",
        "ALTER TABLE backburner_jobs DROP COLUMN progress;",
    ]
    (later / f"{SECOND}.sql").write_text("\n".join([UPGRADE, *more]))
    new = opened(later)
    for text in new.migration_steps()[1].statements[:statements]:
        do(text)
    assert new.migrate() == [SECOND]
    made = "\n".join(tables(do)["backburner_jobs"])
    assert ("colour" in made, "by_name" in made, "progress" in made) == (True, True, False)


def test_a_migrator_whose_connection_is_killed_lets_go(opened: Open, do: Do, later: Path, mysql_server: MySQL) -> None:
    opened().migrate()
    (later / f"{SECOND}.sql").write_text("DO sleep(30);")
    new = opened(later)
    errors: list[BackburnerError] = []

    def migrate() -> None:
        try:
            new.migrate()
        except BackburnerError as error:
            errors.append(error)

    thread = threading.Thread(target=migrate)
    thread.start()
    pause = threading.Event()
    while not (found := do("SELECT id FROM information_schema.processlist WHERE info LIKE 'DO sleep%'")):
        pause.wait(0.01)
    mysql_server.disconnect(found[0][0])
    thread.join(PATIENCE)
    assert [str(error) for error in errors if "was lost" in str(error)]
    (later / f"{SECOND}.sql").write_text(UPGRADE)
    assert opened(later).migrate() == [SECOND]


# Others at the same time.


def test_many_may_migrate_at_once(opened: Open, do: Do, later: Path) -> None:
    stores = [opened(later) for _ in range(6)]
    ready = threading.Barrier(len(stores))
    applied: list[list[str]] = []
    errors: list[BaseException] = []

    def migrate(store: MySQLStore) -> None:
        ready.wait(20)
        try:
            applied.append(store.migrate())
        except BackburnerError as error:
            errors.append(error)

    threads = [threading.Thread(target=migrate, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert errors == []
    assert sorted(applied) == [[]] * (len(stores) - 1) + [[FIRST, SECOND]]
    assert versions(do) == [(1, FIRST), (2, SECOND)]


def test_who_does_not_get_a_turn_is_told(opened: Open, do: Do, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mysql_store, "MIGRATION_TRIES", 1)
    store = opened()
    texts = dict(store._migrator._sql)
    store._migrator._sql = {**texts, "take_turn": texts["take_turn"].replace(", 60)", ", 0)")}
    do("SELECT GET_LOCK(CONCAT(LEFT(DATABASE(), 20), '.backburner_schema'), 0)")
    with pytest.raises(StoreUnavailable, match="somebody else is migrating these tables"):
        store.migrate()
    do("DO RELEASE_LOCK(CONCAT(LEFT(DATABASE(), 20), '.backburner_schema'))")
    assert store.migrate() == [FIRST]


def test_tables_in_use_are_waited_for_and_given_way_to(
    opened: Open, do: Do, later: Path, mysql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened().migrate()
    gave_way = threading.Event()
    monkeypatch.setattr(mysql_store, "sleep", lambda _: gave_way.set())
    applied: list[str] = []
    thread = threading.Thread(target=lambda: applied.extend(opened(later).migrate()))
    with closing(connect(mysql_url)) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM backburner_jobs")
        thread.start()
        assert gave_way.wait(PATIENCE)
        do("SELECT count(*) FROM backburner_jobs")  # is not held up
    thread.join(PATIENCE)
    assert applied == [SECOND]


def test_tables_that_stay_in_use_are_left_alone(
    opened: Open, do: Do, later: Path, mysql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = opened()
    old.migrate()
    monkeypatch.setattr(mysql_store, "MIGRATION_TRIES", 2)
    with closing(connect(mysql_url)) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM backburner_jobs")
        with pytest.raises(StoreUnavailable, match="another transaction in .* holds what this one waits for"):
            opened(later).migrate()
    assert versions(do) == [(1, FIRST)]
    works(old)
    assert opened(later).migrate() == [SECOND]


# By hand, and under other names.


def test_the_script_makes_what_migrating_makes(opened: Open, do: Do, later: Path, mysql_server: MySQL) -> None:
    store = opened(later)
    store.migrate()
    with mysql_server.fresh_database() as other:
        by_hand = open_store(other)
        with closing(connect(other)) as connection, connection.cursor() as cursor:
            for text in store.migration_sql().split(";\n"):
                if text.strip():
                    cursor.execute(text)
            connection.commit()
            made = {}
            for name in tables(do):
                cursor.execute(f"SHOW CREATE TABLE {name}")
                made[name] = cursor.fetchall()[0][1].splitlines()
            cursor.execute("SELECT version, name, works_with FROM backburner_schema ORDER BY version")
            assert list(cursor.fetchall()) == do("SELECT version, name, works_with FROM backburner_schema")
        assert made == tables(do)
        by_hand.close()


def test_the_script_gives_tables_that_work(opened: Open, mysql_url: str) -> None:
    from pymysql.constants import CLIENT

    store = opened()
    with closing(connect(mysql_url, client_flag=CLIENT.MULTI_STATEMENTS)) as connection, connection.cursor() as cursor:
        cursor.execute(store.migration_sql())
        while cursor.nextset():
            pass
        connection.commit()
    assert store.schema_state().is_current
    assert store.migrate() == []
    works(store)


def test_a_prefix_is_everywhere(opened: Open, do: Do, later: Path) -> None:
    store = opened(later, "?table_prefix=bb_")
    assert store.migrate() == [FIRST, SECOND]
    works(store)
    made = tables(do)
    names = {"jobs", "ready", "running", "finished", "workers", "queues", "schema", "colours"}
    assert set(made) == {f"bb_{name}" for name in names}
    assert [line for lines in made.values() for line in lines if "backburner" in line] == []
    assert [problem for problem in store.problems() if "backburner" in problem] == []


def test_the_longest_prefix_works(opened: Open, do: Do) -> None:
    store = opened(options=f"?table_prefix={'p' * LONGEST}")
    assert store.migrate() == [FIRST]
    works(store)
    locks = store._migrator._sql["take_turn"].partition("'.")[2].partition("'")[0]
    assert 20 + 1 + len(locks) <= 64, "MySQL takes no longer name of a lock"


def test_the_application_keeps_what_is_its_own(opened: Open, do: Do) -> None:
    do("CREATE TABLE jobs (name TEXT)")
    store = opened()
    store.migrate()
    works(store)
    assert do("SELECT count(*) FROM jobs") == [(0,)]
    assert all(name.startswith("backburner_") for name in set(tables(do)) - {"jobs"})


@pytest.mark.parametrize("charset", ["latin1", "utf8mb3", "utf8mb4 COLLATE utf8mb4_unicode_ci"])
def test_the_databases_own_character_set_does_not_matter(opened: Open, do: Do, charset: str) -> None:
    do(f"ALTER DATABASE CHARACTER SET {charset}")
    store = opened()
    store.migrate()
    works(store)
    lower, upper = new_job(queue="größe"), new_job(queue="GRÖSSE", handler='"😀"')
    store.run(store.enqueue([lower, upper]))
    assert store.run(store.count(JobFilter(queue="größe"))) == 1
    assert store.run(store.get(upper.id)) is not None


def test_the_files_are_numbered_without_gaps() -> None:
    folder = files("backburner.stores.sql").joinpath("mysql", "migrations")
    numbers = sorted(int(file.name[:4]) for file in folder.iterdir() if file.name.endswith(".sql"))
    assert numbers == list(range(1, len(numbers) + 1))
