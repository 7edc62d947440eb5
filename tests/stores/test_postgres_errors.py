"""What can be wrong with a PostgreSQL database is said in one line, with what to do about it and without a password."""

from __future__ import annotations

import os
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from backburner.core.errors import BackburnerError, ConfigurationError, SchemaMissing, StoreUnavailable
from backburner.core.ops import BEGIN, Op, Repeatable, Statement
from backburner.core.ports import JobFilter
from backburner.stores.open import open_store
from backburner.stores.sql.postgres.store import PostgresStore
from backburner.testing.contract.driving import new_job
from tests.servers.postgres import Postgres, PostgresServer
from tests.servers.urls import with_parts

SECRET = "s3cret-Passw0rd"
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


def statement(text: str) -> Op[Any]:
    reply = yield Statement(text)
    return reply.rows


def raising(code: str, message: str = "as told") -> Op[Any]:
    return statement(f"DO $$BEGIN RAISE EXCEPTION '{message}' USING ERRCODE = '{code}'; END$$")


def refusal_of(url: str, kind: type[BackburnerError]) -> str:
    """Return what is said when a store cannot be used."""
    with pytest.raises(kind) as refused, closing(opened(url)) as store:
        store.run(store.count(JobFilter()))
    text = str(refused.value)
    assert "\n" not in text
    assert SECRET not in "".join(traceback.format_exception(refused.value))
    return text


@pytest.fixture
def ann(postgres_server: Postgres, postgres_url: str) -> Iterator[str]:
    """The URL of the database for a user who is asked for her password and may do nothing."""
    name = f"ann_{os.urandom(4).hex()}"
    postgres_server.create_user(name, SECRET)
    yield with_parts(postgres_url, user=name, password=SECRET)
    database = postgres_url.rpartition("/")[2]
    postgres_server.execute_as_admin(f"DROP OWNED BY {name}", database=database)
    postgres_server.drop_user(name)


# Connecting.


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"postgresql://ann:{SECRET}@127.0.0.1:{taken.getsockname()[1]}/shop"
        text = refusal_of(url, StoreUnavailable)
    assert text.startswith("cannot connect to postgresql://ann:***@127.0.0.1:")
    assert "Connection refused" in text
    assert text.endswith("start the server, or check host and port in the URL")


def test_a_socket_that_is_not_there() -> None:
    text = refusal_of("postgresql:///shop?host=/nowhere", StoreUnavailable)
    assert "No such file or directory" in text
    assert text.endswith("start the server, or check host and port in the URL")


def test_a_host_that_is_not_there() -> None:
    text = refusal_of("postgresql://nowhere.invalid/shop", StoreUnavailable)
    assert text.endswith("check the host in the URL and the name server")


def test_several_servers_none_of_which_is_there() -> None:
    text = refusal_of("postgresql://127.0.0.1:1,127.0.0.1:2/shop", StoreUnavailable)
    assert "port 1 failed" in text
    assert "port 2 failed" in text


def test_a_wrong_password(ann: str, postgres_server: Postgres) -> None:
    wrong = ann.replace(SECRET, SECRET[::-1])
    text = refusal_of(wrong, ConfigurationError)
    assert SECRET[::-1] not in text
    assert "password authentication failed" in text
    assert text.endswith("give the right user and password, in the URL, PGPASSWORD or ~/.pgpass")


def test_no_password(ann: str) -> None:
    text = refusal_of(ann.replace(f":{SECRET}", ""), ConfigurationError)
    assert text.endswith("give the right user and password, in the URL, PGPASSWORD or ~/.pgpass")


def test_a_missing_database(postgres_url: str) -> None:
    text = refusal_of(with_parts(postgres_url, database="nowhere"), ConfigurationError)
    assert 'database "nowhere" does not exist' in text
    assert text.endswith("create this database, or change the URL")


def test_a_missing_role(postgres_url: str) -> None:
    text = refusal_of(with_parts(postgres_url, user="nobody_at_all"), ConfigurationError)
    assert 'role "nobody_at_all" does not exist' in text
    assert text.endswith("create this role, or name another in the URL")


def test_a_server_without_encryption(postgres_url: str) -> None:
    text = refusal_of(f"{postgres_url}?sslmode=require", ConfigurationError)
    assert text.endswith("check sslmode in the URL against what the server offers")


def test_a_certificate_that_is_not_there(postgres_url: str) -> None:
    text = refusal_of(f"{postgres_url}?sslmode=verify-full&sslrootcert=/nowhere", ConfigurationError)
    assert "check sslmode" in text


def test_an_option_that_libpq_does_not_understand(postgres_url: str) -> None:
    text = refusal_of(f"{postgres_url}?sslmode=sometimes", ConfigurationError)
    assert text.endswith("correct the options of the URL or libpq's environment variables")


def test_a_wrong_timeout_of_libpqs(postgres_url: str) -> None:
    text = refusal_of(f"{postgres_url}?connect_timeout=soon", ConfigurationError)
    assert text.endswith("correct the options of the URL or libpq's environment variables")


def test_a_service_that_is_not_defined() -> None:
    text = refusal_of("postgresql://?service=nowhere", ConfigurationError)
    assert "nowhere" in text


def test_a_full_server() -> None:
    with PostgresServer({"max_connections": "4", "superuser_reserved_connections": "0", "fsync": "off"}) as server:
        holders = [psycopg.connect(server.url()) for _ in range(4)]
        text = refusal_of(server.url(), StoreUnavailable)
        for holder in holders:
            holder.close()
    assert text.endswith("raise max_connections, lower pool_size in the URL, or put a pooler in between")


def test_a_server_that_is_too_old(store: PostgresStore) -> None:
    with pytest.raises(ConfigurationError, match=r"to be PostgreSQL 13 or later, got 12.17"):
        store._server._expect_version(120017)
    store._server._expect_version(130000)


def test_a_server_that_shuts_down(private_postgres: PostgresServer) -> None:
    with private_postgres.fresh_database() as url:
        store = opened(url)
        store.migrate()
        store.run(store.count(JobFilter()))
        private_postgres.stop()
        with pytest.raises(StoreUnavailable, match="cannot connect|was lost"):
            store.run(store.count(JobFilter()))
        with pytest.raises(StoreUnavailable, match="start the server, or check host and port in the URL"):
            store.run(store.count(JobFilter()))
        private_postgres.start()
        assert store.run(store.count(JobFilter())) == 0
        store.close()


# Tables and rights.


def test_missing_tables(postgres_url: str) -> None:
    text = refusal_of(postgres_url, SchemaMissing)
    assert text == f"the tables of backburner in {postgres_url} are missing: run `backburner migrate`"


def test_a_missing_schema(postgres_url: str) -> None:
    text = refusal_of(f"{postgres_url}?schema=nowhere", SchemaMissing)
    assert text.endswith("are missing: run `backburner migrate`")


def test_awaited(postgres_url: str) -> None:
    import asyncio

    store = opened(postgres_url)
    with pytest.raises(SchemaMissing, match="run `backburner migrate`"):
        asyncio.run(store.arun(store.count(JobFilter())))
    store.close()


def test_after_migrating_all_is_well(postgres_url: str) -> None:
    store = opened(postgres_url)
    with pytest.raises(SchemaMissing):
        store.run(store.enqueue([new_job()]))
    other = opened(postgres_url)
    other.migrate()
    other.close()
    store.run(store.enqueue([new_job()]))
    store.close()


def test_tables_of_another_version(store: PostgresStore, postgres_url: str) -> None:
    store.run(statement("UPDATE backburner_schema SET version = 999, works_with = 999"))
    with pytest.raises(SchemaMissing, match="newer than this code"):
        opened(postgres_url).run(store.count(JobFilter()))


def test_tables_that_have_gone(store: PostgresStore, postgres_url: str) -> None:
    store.run(store.count(JobFilter()))
    store.run(statement("DROP TABLE backburner_jobs, backburner_schema"))
    with pytest.raises(SchemaMissing, match=r'relation "backburner_jobs" does not exist.*run `backburner migrate`'):
        store.run(store.enqueue([new_job()]))


def test_lacking_rights_on_the_tables(store: PostgresStore, ann: str) -> None:
    text = refusal_of(ann, ConfigurationError)
    assert "permission denied for table backburner_schema" in text
    assert "GRANT SELECT, INSERT, UPDATE, DELETE ON backburner_schema to this role" in text


def test_lacking_rights_to_migrate(postgres_server: Postgres, postgres_url: str, ann: str) -> None:
    user = ann.partition("://")[2].partition(":")[0]
    database = postgres_url.rpartition("/")[2]
    postgres_server.execute_as_admin(f"REVOKE ALL ON SCHEMA public FROM public, {user}", database=database)
    store = opened(ann)
    with pytest.raises(ConfigurationError, match="permission denied|no schema has been selected"):
        store.migrate()
    store.close()


def test_a_role_that_may_only_work(store: PostgresStore, postgres_server: Postgres, ann: str) -> None:
    user = ann.partition("://")[2].partition(":")[0]
    database = ann.rpartition("/")[2]
    tables = ", ".join(f"backburner_{name}" for name in ("jobs", "finished", "finished_rest", "workers", "queues"))
    for sql in (
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {user}",
        f"GRANT SELECT ON backburner_schema TO {user}",
    ):
        postgres_server.execute_as_admin(sql, database=database)
    hers = opened(ann)
    hers.run(hers.enqueue([new_job()]))
    assert hers.run(hers.count(JobFilter())) == 1
    assert hers.problems() is not None
    hers.close()


# Statements.


@pytest.mark.parametrize(
    ("code", "kind", "advice"),
    [
        ("53100", StoreUnavailable, "is in trouble (as told): make room on its disk"),
        ("53200", StoreUnavailable, "is in trouble (as told): look into the server's log"),
        ("53300", StoreUnavailable, "is in trouble (as told): raise max_connections, lower pool_size in the URL"),
        ("58030", StoreUnavailable, "is in trouble (as told): look into the server's log"),
        ("XX001", StoreUnavailable, "is in trouble (as told): look into the server's log"),
        ("55P03", StoreUnavailable, "another transaction holds what it waits for"),
        ("57014", StoreUnavailable, "another transaction holds what it waits for"),
        ("40P01", StoreUnavailable, "gave up this transaction for another one (as told): try again"),
        ("40001", StoreUnavailable, "gave up this transaction for another one (as told): try again"),
        ("25006", StoreUnavailable, "let the URL lead to the primary server"),
        ("57P01", StoreUnavailable, "was lost (as told)"),
        ("57P03", StoreUnavailable, "was lost (as told)"),
        ("08006", StoreUnavailable, "was lost (as told)"),
        ("0A000", StoreUnavailable, "had prepared does not fit any more (as told): try again"),
        ("26000", StoreUnavailable, "if a pooler stands in between, add pooler=yes to the URL"),
        ("42P01", SchemaMissing, "are missing or incomplete (as told): run `backburner migrate`"),
        ("42703", SchemaMissing, "are missing or incomplete (as told): run `backburner migrate`"),
        ("3F000", SchemaMissing, "are missing or incomplete (as told): run `backburner migrate`"),
        ("42501", ConfigurationError, "does not allow this (as told): grant this role what it needs"),
        ("23514", StoreUnavailable, "did not do what it was asked to: CheckViolation: as told"),
    ],
)
def test_what_the_database_says(store: PostgresStore, code: str, kind: type[BackburnerError], advice: str) -> None:
    with pytest.raises(kind) as raised:
        store.run(raising(code))
    assert advice in str(raised.value)
    assert "\n" not in str(raised.value)
    assert store.run(statement("SELECT 1")) == [(1,)]


@pytest.mark.parametrize(
    ("told", "advice"),
    [
        ("must be owner of table backburner_jobs", "migrate as the owner of the tables, or make this role a member of"),
        ("permission denied for schema shop", "GRANT USAGE ON SCHEMA shop to this role, and CREATE to the one that"),
        ("permission denied for sequence numbers_seq", "GRANT USAGE ON SEQUENCE numbers_seq to this role"),
        ('permission denied for table "backburner_jobs"', "GRANT SELECT, INSERT, UPDATE, DELETE ON backburner_jobs to"),
    ],
)
def test_what_is_to_be_granted(store: PostgresStore, told: str, advice: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        store.run(raising("42501", told))
    assert f"does not allow this ({told}): {advice}" in str(raised.value)


def test_only_the_first_part_of_a_long_message_is_said(store: PostgresStore) -> None:
    with pytest.raises(StoreUnavailable) as raised:
        store.run(raising("53100", "one\ntwo   three"))
    assert "(one two three)" in str(raised.value)


@pytest.mark.parametrize("variable", ["url", "query", "environment"])
def test_a_password_is_never_shown(postgres_url: str, ann: str, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    urls = {"url": ann, "query": ann.replace(f":{SECRET}", "") + f"?password={SECRET}", "environment": postgres_url}
    if variable == "environment":
        monkeypatch.setenv("PGPASSWORD", SECRET)
    store = opened(urls[variable])
    assert SECRET not in store.url
    assert SECRET not in repr(vars(store))
    assert SECRET not in repr(store._server.place)
    with pytest.raises(StoreUnavailable) as raised:
        store._pool.run(raising("53100", f"the password is {SECRET}!"))
    assert "the password is ***!" in str(raised.value)
    assert SECRET not in "".join(traceback.format_exception(raised.value))
    store.close()


def test_a_deadlock_is_nobodys_business_when_the_operation_can_be_repeated(
    store: PostgresStore, postgres_url: str
) -> None:
    store.run(statement("CREATE TABLE things (name text PRIMARY KEY, number integer)"))
    store.run(statement("INSERT INTO things VALUES ('a', 0), ('b', 0)"))
    tries = []
    both = threading.Barrier(2)

    def locking(first: str, second: str) -> Op[None]:
        tries.append(first)
        yield BEGIN
        yield Statement("UPDATE things SET number = number + 1 WHERE name = %s", (first,))
        if len(tries) <= 2:
            both.wait(PATIENCE)
        yield Statement("UPDATE things SET number = number + 1 WHERE name = %s", (second,))

    orders = [("a", "b"), ("b", "a")]
    run = store.run
    threads = [threading.Thread(target=lambda o=o: run(Repeatable(lambda: locking(*o)))) for o in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(tries) == 3
    assert store.run(statement("SELECT sum(number) FROM things")) == [(4,)]


def test_a_read_only_flip(private_postgres: PostgresServer) -> None:
    with private_postgres.fresh_database() as url:
        store = opened(url)
        store.migrate()
        store.run(store.enqueue([new_job()]))
        flip(private_postgres, "on")
        with pytest.raises(StoreUnavailable, match="takes no changes just now .*read-only transaction"):
            store.run(store.enqueue([new_job()]))
        assert store.run(store.count(JobFilter())) == 1
        flip(private_postgres, "off")
        store.run(store.enqueue([new_job()]))
        assert store.run(store.count(JobFilter())) == 2
        store.close()


def flip(server: PostgresServer, value: str) -> None:
    """Make the whole server read-only or not, and wait until it is so."""
    server.execute_as_admin(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
    server.execute_as_admin("SELECT pg_reload_conf()")
    is_so: Callable[[], bool] = lambda: server.execute_as_admin("SHOW default_transaction_read_only") == [(value,)]  # noqa: E731
    pause = threading.Event()
    while not is_so():
        pause.wait(0.01)


# problems(), for the doctor.


def test_problems_of_a_good_database(postgres_url: str, store: PostgresStore) -> None:
    unsafe = ["fsync and full_page_writes off: a crash of the machine may destroy the database."]
    assert store.problems() in ([], unsafe)  # the tests' server need not be safe


def test_long_transactions_are_a_problem(
    store: PostgresStore, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backburner.stores.sql.postgres import problems

    monkeypatch.setattr(problems, "HOLDERS", problems.HOLDERS.replace(f"interval '{problems.LONG} s'", "interval '0'"))
    with psycopg.connect(postgres_url, application_name="report") as holder:
        holder.execute("CREATE TABLE things ()")
        (problem,) = [each for each in store.problems() if "transaction of process" in each]
        assert (
            f"The transaction of process {holder.info.backend_pid} (report, postgres, idle in transaction)" in problem
        )
        assert problem.endswith("claims become slow: end it.")


def test_relaxed_settings_are_a_problem(postgres_server: Postgres, postgres_url: str) -> None:
    store = opened(f"{postgres_url}?options=-c%20synchronous_commit%3Doff")
    store.migrate()
    assert any("synchronous_commit is off" in problem for problem in store.problems())
    store.close()


def test_broken_indexes_are_a_problem(store: PostgresStore) -> None:
    store.run(statement("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'backburner_jobs_failed'::regclass"))
    assert "The index backburner_jobs_failed is not valid: drop it, and make it again." in store.problems()


def test_a_clock_that_is_ahead_is_a_problem() -> None:
    from backburner.stores.sql.postgres.problems import _of_the_clock

    assert list(_of_the_clock(0.9)) == []
    assert "is 90 s ahead of this machine's" in next(_of_the_clock(90.0))
    assert "is 90 s behind this machine's" in next(_of_the_clock(-90.0))
