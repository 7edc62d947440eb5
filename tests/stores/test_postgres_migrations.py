"""The tables in PostgreSQL are made and upgraded beside those who use them, under the names that the URL says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
import pytest

from backburner.core.errors import SchemaMissing, StoreUnavailable
from backburner.core.lifecycle import Move, State
from backburner.core.ports import ClaimRequest, JobFilter, Settlement, WorkerInfo, lease_of
from backburner.core.times import system_now
from backburner.stores.sql.migrate import Migrator
from backburner.stores.sql.postgres import store as module
from backburner.stores.sql.postgres.dialect import POSTGRES
from backburner.stores.sql.postgres.store import PostgresStore
from backburner.stores.sql.postgres.url import parse
from backburner.testing.contract.driving import new_job
from tests.cli.support import Result, run

PATIENCE = 20.0
FIRST, SECOND = "0001_jobs", "0002_colours"
COLOURS = "ALTER TABLE backburner_jobs ADD COLUMN colour text;\nCREATE TABLE backburner_colours (name text);\n"
NAMED = "schema=jobs&table_prefix=bb_"

Eyes = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The migrations of a version that is still to come."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    for file in files("backburner.stores.sql").joinpath("postgres", "migrations").iterdir():
        (folder / file.name).write_text(file.read_text())
    (folder / f"{SECOND}.sql").write_text(COLOURS)
    return folder


@pytest.fixture
def opened(postgres_url: str) -> Iterator[Callable[..., PostgresStore]]:
    """A function that opens a store, as this version of the code or as a later one."""
    stores: list[PostgresStore] = []

    def open_one(folder: Path | None = None, options: str = "") -> PostgresStore:
        url = f"{postgres_url}?{options}" if options else postgres_url
        place = parse(url, url)
        migrator = Migrator(POSTGRES, folder, place.names) if folder else None
        stores.append(PostgresStore(place, migrator=migrator))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


@pytest.fixture
def eyes(postgres_url: str) -> Iterator[Eyes]:
    """A function that asks the database, on a connection that has nothing to do with a store."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:

        def ask(text: str, *parameters: object) -> list[tuple[Any, ...]]:
            cursor = connection.execute(text.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

        yield ask


def soon(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.005)):
        if condition():
            return
        pause.wait(0.005)
    raise AssertionError("it has not come about")


def versions(eyes: Eyes) -> list[tuple[Any, ...]]:
    return eyes("SELECT version, name, works_with FROM backburner_schema ORDER BY version")


# One version after another.


def test_an_upgrade_keeps_the_jobs(opened: Callable[..., PostgresStore], later: Path, eyes: Eyes) -> None:
    old = opened()
    assert old.migrate() == [FIRST]
    old.run(old.enqueue([new_job(queue="mail")]))
    new = opened(later)
    with pytest.raises(SchemaMissing, match=r"are of version 1, and this code needs 2: run `backburner migrate`"):
        new.run(new.count(JobFilter()))
    assert new.migrate() == [SECOND]
    assert new.run(new.count(JobFilter(queue="mail"))) == 1
    assert versions(eyes) == [(1, FIRST, 1), (2, SECOND, 2)]


def test_old_code_refuses_newer_tables(opened: Callable[..., PostgresStore], later: Path) -> None:
    opened(later).migrate()
    old = opened()
    for attempt in (lambda: old.run(old.enqueue([new_job()])), old.migrate):
        with pytest.raises(SchemaMissing, match="expected version 1 of the tables, got 2; upgrade backburner"):
            attempt()
    assert old.schema_state().is_current is False


def test_old_code_goes_on_with_newer_tables_that_say_so(opened: Callable[..., PostgresStore], later: Path) -> None:
    (later / f"{SECOND}.sql").write_text(f"-- Works with code that expects version 1.\n{COLOURS}")
    old = opened()
    old.migrate()
    old.run(old.enqueue([new_job()]))  # with a connection that has seen the old tables
    opened(later).migrate()
    for store in (old, opened()):
        state = store.schema_state()
        assert (state.found, state.needed, state.is_current) == (2, 1, True)
        store.run(store.enqueue([new_job()]))
        assert store.migrate() == []
    assert old.run(old.count(JobFilter())) == 3


def test_an_upgrade_that_fails_changes_nothing(opened: Callable[..., PostgresStore], later: Path, eyes: Eyes) -> None:
    opened().migrate()
    (later / "0003_broken.sql").write_text("CREATE TABLE backburner_third ();\nINSERT INTO nowhere VALUES (1);")
    with pytest.raises(SchemaMissing, match='relation "nowhere" does not exist'):
        opened(later).migrate()
    assert versions(eyes) == [(1, FIRST, 1)]
    assert eyes("SELECT to_regclass('backburner_colours'), to_regclass('backburner_third')") == [(None, None)]


def test_many_may_migrate_at_once(opened: Callable[..., PostgresStore], later: Path, eyes: Eyes) -> None:
    opened().migrate()
    stores = [opened(later) for _ in range(6)]
    ready = threading.Barrier(len(stores))
    applied: list[list[str]] = []

    def migrate(store: PostgresStore) -> None:
        ready.wait(PATIENCE)
        applied.append(store.migrate())

    threads = [threading.Thread(target=migrate, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(applied) == [[]] * 5 + [[SECOND]]
    assert versions(eyes) == [(1, FIRST, 1), (2, SECOND, 2)]


# Beside those who use the tables.


@pytest.fixture
def impatient(opened: Callable[..., PostgresStore], later: Path) -> PostgresStore:
    """A store of the later version whose migrations give way to others after a moment."""
    opened().migrate()
    store = opened(later)
    text = store._migrator._sql["begin_migrating"]
    assert "set_config('lock_timeout', '5s', true)" in text
    store._migrator._sql = {**store._migrator._sql, "begin_migrating": text.replace("'5s'", "'300ms'")}
    return store


def waiting_for_locks(eyes: Eyes) -> int:
    """Return how many connections wait for a lock on a table."""
    found = eyes(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation' "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return int(found[0][0])


def test_a_migration_gives_way_and_comes_through_in_the_end(
    impatient: PostgresStore, opened: Callable[..., PostgresStore], postgres_url: str, eyes: Eyes
) -> None:
    other = opened()
    other.run(other.count(JobFilter()))
    applied: list[str] = []
    thread = threading.Thread(target=lambda: applied.extend(impatient.migrate()))
    with psycopg.connect(postgres_url) as holder:
        holder.execute("SELECT count(*) FROM backburner_jobs")
        thread.start()
        soon(lambda: waiting_for_locks(eyes) == 1)
        other.run(other.enqueue([new_job()]))  # waits behind the migration, until that gives way
        assert other.run(other.count(JobFilter())) == 1
        assert applied == []
        soon(lambda: waiting_for_locks(eyes) == 1)  # it tries again
    thread.join(PATIENCE)
    assert applied == [SECOND]
    assert impatient.run(impatient.count(JobFilter())) == 1


def test_in_the_end_it_says_what_it_waited_for(
    impatient: PostgresStore, postgres_url: str, eyes: Eyes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MIGRATION_TRIES", 2)
    with psycopg.connect(postgres_url) as holder:
        holder.execute("SELECT count(*) FROM backburner_jobs")
        with pytest.raises(StoreUnavailable, match="lock timeout.*another transaction holds what it waits for"):
            impatient.migrate()
    assert versions(eyes) == [(1, FIRST, 1)]
    assert impatient.migrate() == [SECOND]


def test_what_was_prepared_for_the_old_tables_is_prepared_anew(
    opened: Callable[..., PostgresStore], eyes: Eyes
) -> None:
    store = opened()
    store.migrate()
    jobs = [new_job(system_now()) for _ in range(12)]
    store.run(store.enqueue(jobs))
    number = store.run(store.register(WorkerInfo("ann", "host", 1, None, 1)))
    requests = [ClaimRequest(lease_of(number, batch), "ann", 1) for batch in range(1, 12)]
    for request in requests[:8]:
        assert len(store.run(store.claim(request)).jobs) == 1
        store.run(store.get(jobs[0].id))
    eyes("ALTER TABLE backburner_jobs ALTER COLUMN attempts TYPE bigint")
    eyes("ALTER TABLE backburner_finished ALTER COLUMN attempts TYPE bigint")
    with pytest.raises(StoreUnavailable, match="cached plan must not change result type"):
        store.run(store.claim(requests[8]))
    assert len(store.run(store.claim(requests[9])).jobs) == 1
    assert store.run(store.get(jobs[0].id)).attempts == 0


# By hand, and by the command.


@pytest.mark.parametrize("options", ["", NAMED])
def test_the_script_makes_what_migrating_makes(opened: Callable[..., PostgresStore], eyes: Eyes, options: str) -> None:
    store = opened(None, options)
    eyes(store.migration_sql())
    assert store.schema_state().is_current
    by_hand = tables(eyes)
    use(store)
    assert store.migrate() == []
    drop_all(eyes)
    store.migrate()
    assert tables(eyes) == by_hand


def tables(eyes: Eyes) -> list[tuple[Any, ...]]:
    """Return all columns, and what belongs to tables: options and indexes."""
    columns = eyes(
        "SELECT table_schema, table_name, column_name, data_type, collation_name, is_nullable, column_default "
        "FROM information_schema.columns WHERE table_schema IN ('public', 'jobs') AND table_name !~ '[0-9]{8}' "
        "ORDER BY 1, 2, ordinal_position"
    )
    options = eyes(
        "SELECT relnamespace::regnamespace, relname, reloptions, relkind FROM pg_class "
        "WHERE relnamespace::regnamespace::text IN ('public', 'jobs') AND relname !~ '[0-9]{8}' ORDER BY 1, 2"
    )
    indexes = eyes(
        "SELECT indexdef FROM pg_indexes WHERE schemaname IN ('public', 'jobs') AND tablename !~ '[0-9]{8}' ORDER BY 1"
    )
    return [*columns, *options, *indexes]


def drop_all(eyes: Eyes) -> None:
    eyes("DROP SCHEMA IF EXISTS jobs CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def use(store: PostgresStore) -> None:
    """Do a little of everything: one job and many, claims of every kind, history by day, notices, the doctor."""
    now = system_now()
    store.run(store.prune(now))
    store.run(store.enqueue([new_job(now)]))
    store.run(store.enqueue([new_job(now, queue="mail", priority=number % 2) for number in range(300)]))
    number = store.run(store.register(WorkerInfo("ann", "host", 1, None, 1)))
    claimed = store.run(store.claim(ClaimRequest(lease_of(number, 1), "ann", 250)))
    assert len(claimed.jobs) == 250
    done = [Settlement(job.id, lease_of(number, 1), Move.FINISH) for job in claimed.jobs]
    rest = store.run(store.claim(ClaimRequest(lease_of(number, 2), "ann", 100, queues=("mail",)), done))
    assert (len(rest.jobs), rest.lost) == (51, [])
    assert store.run(store.retire(number)) == 51
    assert store.run(store.count(JobFilter(states=frozenset({State.SUCCEEDED})))) == 250
    assert sum(queue.counts[State.QUEUED] for queue in store.run(store.queues())) == 51
    assert store.run(store.get(claimed.jobs[0].id)).state is State.SUCCEEDED
    assert [problem for problem in store.problems() if "off:" not in problem] == []


def test_everything_is_where_the_url_says(opened: Callable[..., PostgresStore], eyes: Eyes, postgres_url: str) -> None:
    store, other = opened(None, NAMED), opened(None, NAMED)
    assert store.migrate() == [FIRST]
    watch = other.watch()
    use(store)
    store.notify()
    assert watch.wait(PATIENCE) is True
    watch.close()
    assert eyes("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]
    names = {name for (name,) in eyes("SELECT relname FROM pg_class WHERE relnamespace = 'jobs'::regnamespace")}
    assert all(name.startswith("bb_") for name in names)
    today = f"bb_finished_{system_now():%Y%m%d}"
    assert today in names
    found = eyes("SELECT tableoid::regclass::text, count(*) FROM jobs.bb_finished GROUP BY tableoid")
    assert found == [(f"jobs.{today}", 250)]
    store.run(store.prune(system_now() + timedelta(days=1, minutes=1)))
    assert eyes("SELECT to_regclass(%s)::text", f"jobs.{today}") == [(None,)]
    assert store.run(store.count(JobFilter(states=frozenset({State.SUCCEEDED})))) == 0


def test_the_command(postgres_url: str, tmp_path: Path, eyes: Eyes) -> None:
    def migrate(*options: str) -> Result:
        return run("migrate", *options, cwd=tmp_path, env={"BACKBURNER_URL": f"{postgres_url}?{NAMED}"})

    assert migrate("--check").code == 1
    script = migrate("--sql")
    assert (script.code, script.err) == (0, "")
    assert eyes("SELECT to_regnamespace('jobs')") == [(None,)]
    assert migrate().out.startswith(f"applied {FIRST}\nthe tables in {postgres_url}")
    current = migrate("--check")
    assert (current.code, current.err) == (0, "")
    made = tables(eyes)
    drop_all(eyes)
    eyes(script.out)
    assert migrate("--check").code == 0
    assert tables(eyes) == made
    eyes("INSERT INTO jobs.bb_schema VALUES (99, 'from the future', 99, 0)")
    newer = migrate("--check")
    assert newer.code == 1
    assert "are newer (version 99) than this code (1): upgrade backburner" in newer.out
    refused = migrate()
    assert refused.code == 2
    assert "expected version 1 of the tables, got 99" in refused.err
