"""What can be wrong with a MySQL or MariaDB database is said in one line, with what to do about it and no password."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import ssl
import threading
import traceback
import warnings
from collections.abc import Iterator
from contextlib import closing, suppress
from importlib.util import find_spec
from typing import Any

import pymysql
import pytest

from backburner.core.errors import BackburnerError, ConfigurationError, SchemaMissing, StoreUnavailable
from backburner.core.lifecycle import Move
from backburner.core.ops import BEGIN, Op, Renewable, Statement
from backburner.core.ports import ClaimRequest, JobFilter, Settlement, WorkerInfo, lease_of
from backburner.core.times import system_now
from backburner.stores.open import open_store
from backburner.stores.sql.mysql import problems
from backburner.stores.sql.mysql.store import MySQLStore
from backburner.stores.sql.mysql.together import Together
from backburner.testing.contract.driving import new_job
from tests.servers.mysql import FAST, MySQL, MySQLServer
from tests.servers.urls import with_parts
from tests.stores.mysql import connect

SECRET = "s3cret-Passw0rd"
PATIENCE = 20.0


def opened(url: str) -> MySQLStore:
    store = open_store(url)
    assert isinstance(store, MySQLStore)
    return store


@pytest.fixture
def store(mysql_url: str) -> Iterator[MySQLStore]:
    store = opened(mysql_url)
    store.migrate()
    yield store
    store.close()


def statement(text: str, *parameters: object) -> Op[Any]:
    reply = yield Statement(text, parameters)
    return reply.rows


def raising(number: int, message: str = "as told") -> Op[Any]:
    return statement(f"SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = '{message}'")


def refusal_of(url: str, kind: type[BackburnerError]) -> str:
    """Return what is said when a store cannot be used."""
    with pytest.raises(kind) as refused, closing(opened(url)) as store:
        store.run(store.count(JobFilter()))
    return checked(refused.value)


def checked(error: BaseException) -> str:
    """Return what an error says, in one line and without the password; its causes do not tell it either."""
    assert "\n" not in str(error)
    assert SECRET not in "".join(traceback.format_exception(error))
    return str(error)


@pytest.fixture
def ann(mysql_server: MySQL, mysql_url: str) -> Iterator[str]:
    """The URL of the database for a user who is asked for her password and may do nothing."""
    name = f"ann_{os.urandom(4).hex()}"
    mysql_server.create_user(name, SECRET)
    yield with_parts(mysql_url, user=name, password=SECRET)
    mysql_server.drop_user(name)


def grant(server: MySQL, rights: str, url: str, table: str = "*") -> None:
    """Give the user of a URL rights on its database, or on one table."""
    user, database = url.partition("://")[2].partition(":")[0], url.rpartition("/")[2]
    server.execute_as_admin(f"GRANT {rights} ON {database}.{table} TO {user}")


# Connecting.


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"mysql://ann:{SECRET}@127.0.0.1:{taken.getsockname()[1]}/shop"
        text = refusal_of(url, StoreUnavailable)
    assert text.startswith("cannot connect to mysql://ann:***@127.0.0.1:")
    assert "Connection refused" in text
    assert text.endswith("start the server, or check host and port in the URL")


def test_a_socket_that_is_not_there() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # PyMySQL does not close a socket that leads nowhere
        text = refusal_of("mysql://ann@/shop?unix_socket=/nowhere", StoreUnavailable)
        gc.collect()
    assert "No such file or directory" in text
    assert text.endswith("start the server, or check host and port in the URL")


def test_a_host_that_is_not_there() -> None:
    text = refusal_of("mysql://nowhere.invalid/shop", StoreUnavailable)
    assert text.endswith("check the host in the URL and the name server")


def test_something_else_at_this_port() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()

        def greet() -> None:
            for _ in range(1):
                connection, _ = other.accept()
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.close()

        thread = threading.Thread(target=greet)
        thread.start()
        text = refusal_of(f"mysql://ann:{SECRET}@127.0.0.1:{other.getsockname()[1]}/shop", StoreUnavailable)
        thread.join(PATIENCE)
    assert text.startswith("cannot connect to mysql://ann:***@127.0.0.1:")


def test_a_wrong_password(ann: str) -> None:
    wrong = ann.replace(SECRET, SECRET[::-1])
    text = refusal_of(wrong, ConfigurationError)
    assert SECRET[::-1] not in text
    assert "Access denied for user" in text
    assert text.endswith("give the right user and password in the URL")


def test_no_password(ann: str) -> None:
    text = refusal_of(ann.replace(f":{SECRET}", ""), ConfigurationError)
    assert text.endswith("give the right user and password in the URL")


def test_a_user_who_does_not_exist(mysql_url: str) -> None:
    text = refusal_of(with_parts(mysql_url, user="nobody_at_all", password=SECRET), ConfigurationError)
    assert text.endswith("give the right user and password in the URL")


def test_a_missing_database(mysql_url: str) -> None:
    text = refusal_of(with_parts(mysql_url, database="nowhere"), ConfigurationError)
    assert "Unknown database 'nowhere'" in text
    assert text.endswith("create this database, or change the URL")


def test_a_user_without_rights_on_the_database(ann: str) -> None:
    text = refusal_of(ann, ConfigurationError)
    assert "Access denied for user" in text
    assert text.endswith("grant this user rights on the database, or change the URL")


def test_a_server_without_encryption(mysql_url: str) -> None:
    text = refusal_of(f"{mysql_url}?ssl_verify_cert=true", ConfigurationError)
    assert text.endswith("check ssl_ca, ssl_cert and ssl_key in the URL against what the server has")


def test_a_certificate_that_is_not_there(mysql_url: str) -> None:
    text = refusal_of(f"{mysql_url}?ssl_ca=/nowhere", ConfigurationError)
    assert text.endswith("check ssl_ca, ssl_cert and ssl_key in the URL")


def test_a_certificate_that_is_none(mysql_url: str) -> None:
    text = refusal_of(f"{mysql_url}?ssl_ca={__file__}", ConfigurationError)
    assert text.endswith("check ssl_ca, ssl_cert and ssl_key in the URL")


def test_a_full_server() -> None:
    with MySQLServer({**FAST, "max-connections": "10"}) as server, server.fresh_database() as url:
        holders = []
        with suppress(pymysql.err.OperationalError):  # until there is no more room
            while True:
                holders.append(connect(url))
        text = refusal_of(url, StoreUnavailable)
        for holder in holders:
            holder.close()
    assert text.endswith("raise max_connections, or lower pool_size in the URL")


def test_a_user_with_too_many_connections(mysql_server: MySQL, ann: str) -> None:
    grant(mysql_server, "ALL", ann)
    user = ann.partition("://")[2].partition(":")[0]
    mysql_server.execute_as_admin(f"ALTER USER {user} WITH MAX_USER_CONNECTIONS 1")
    with closing(connect(ann, ssl_disabled=False)):
        text = refusal_of(ann, StoreUnavailable)
    assert "max_user_connections" in text
    assert text.endswith("raise the limit of this user, or lower pool_size in the URL")


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ("ACCOUNT LOCK", "unlock this user, with ALTER USER … ACCOUNT UNLOCK"),
        ("PASSWORD EXPIRE", "give this user a new password, and the URL too"),
    ],
)
def test_a_user_who_may_not_come_in_as_things_are(mysql_server: MySQL, ann: str, change: str, advice: str) -> None:
    grant(mysql_server, "ALL", ann)
    mysql_server.execute_as_admin(f"ALTER USER {ann.partition('://')[2].partition(':')[0]} {change}")
    assert refusal_of(ann, ConfigurationError).endswith(advice)


@pytest.fixture
def mysql(private_mysql: MySQLServer) -> MySQLServer:
    """A server that takes connections with TLS by itself."""
    if private_mysql.is_mariadb:
        pytest.skip("MariaDB has no certificate before version 11.4")
    return private_mysql


def test_a_server_that_insists_on_encryption(mysql: MySQLServer) -> None:
    mysql.execute_as_admin("SET GLOBAL require_secure_transport = 1")
    with closing(opened(mysql.url("mysql"))) as store:
        assert store._pool.run(statement("SHOW STATUS LIKE 'Ssl_cipher'"))[0][1]
    text = refusal_of(f"{mysql.url('mysql')}?ssl_disabled=true", ConfigurationError)
    assert text.endswith("leave ssl_disabled out of the URL, or ask for TLS with ssl_ca")


def test_the_certificate_of_the_server_is_checked(mysql: MySQLServer) -> None:
    url = f"{mysql.url('mysql')}?ssl_verify_cert=true&ssl_ca="
    with closing(opened(f"{url}{mysql.folder}/data/ca.pem")) as store:
        assert store._pool.run(statement("SHOW STATUS LIKE 'Ssl_cipher'"))[0][1]
    text = refusal_of(f"{url}{ssl.get_default_verify_paths().openssl_cafile}", ConfigurationError)
    assert text.endswith("check ssl_ca, ssl_cert and ssl_key in the URL against what the server has")


@pytest.mark.skipif(find_spec("cryptography") is not None, reason="passwords may be sent without TLS")
def test_a_password_that_needs_encryption(mysql_server: MySQL, ann: str) -> None:
    if mysql_server.is_mariadb:
        pytest.skip("only MySQL wants passwords in secret")
    text = refusal_of(f"{ann}?ssl_disabled=true", ConfigurationError)
    assert text.endswith("or pip install 'pymysql[rsa]'")


@pytest.mark.parametrize(
    ("version", "is_welcome"),
    [
        ("8.0.36", True),
        ("8.4.0-log", True),
        ("9.1.0", True),
        ("5.7.44-log", False),
        ("10.6.0-MariaDB", True),
        ("11.4.2-MariaDB-log", True),
        ("5.5.5-10.6.12-MariaDB-1:10.6.12+maria~ubu2004", True),
        ("10.5.23-MariaDB-0+deb11u1", False),
        ("5.5.5-10.4.33-MariaDB", False),
        ("something else", False),
    ],
)
def test_a_server_that_is_too_old(store: MySQLStore, version: str, is_welcome: bool) -> None:
    if is_welcome:
        store._server._expect_version(version)
        return
    with pytest.raises(ConfigurationError) as refused:
        store._server._expect_version(version)
    assert f"to be MySQL 8.0 or MariaDB 10.6 or later, got {version}" in str(refused.value)


def test_a_server_that_shuts_down(private_mysql: MySQLServer) -> None:
    with private_mysql.fresh_database() as url:
        store = opened(url)
        store.migrate()
        store.run(store.count(JobFilter()))
        private_mysql.stop()
        with pytest.raises(StoreUnavailable, match="cannot connect|was lost"):
            store.run(store.count(JobFilter()))
        with pytest.raises(StoreUnavailable, match="start the server, or check host and port in the URL"):
            store.run(store.count(JobFilter()))
        private_mysql.start()
        assert store.run(store.count(JobFilter())) == 0
        store.close()


# Tables and rights.


def test_missing_tables(mysql_url: str) -> None:
    text = refusal_of(mysql_url, SchemaMissing)
    assert text == f"the tables of backburner in {mysql_url} are missing: run `backburner migrate`"


def test_an_operation_that_was_begun_says_so_when_it_is_asked_for_its_result(mysql_url: str) -> None:
    with closing(opened(mysql_url)) as store:
        begun = store.begin(store.claim(ClaimRequest(lease_of(1, 1), "ann", 1)))
        with pytest.raises(SchemaMissing, match="are missing: run `backburner migrate`"):
            begun.result()


def test_missing_tables_with_a_prefix(store: MySQLStore, mysql_url: str) -> None:
    text = refusal_of(f"{mysql_url}?table_prefix=bb_", SchemaMissing)
    assert text.endswith("are missing: run `backburner migrate`")


def test_awaited(mysql_url: str) -> None:
    store = opened(mysql_url)
    with pytest.raises(SchemaMissing, match="run `backburner migrate`"):
        asyncio.run(store.arun(store.count(JobFilter())))
    store.close()


def test_after_migrating_all_is_well(mysql_url: str) -> None:
    store = opened(mysql_url)
    with pytest.raises(SchemaMissing):
        store.run(store.enqueue([new_job()]))
    other = opened(mysql_url)
    other.migrate()
    other.close()
    store.run(store.enqueue([new_job()]))
    store.close()


def test_tables_of_another_version(store: MySQLStore, mysql_url: str) -> None:
    store.run(statement("UPDATE backburner_schema SET version = 999, works_with = 999"))
    assert "newer than this code" in refusal_of(mysql_url, SchemaMissing)


def test_tables_that_have_gone(store: MySQLStore) -> None:
    store.run(store.count(JobFilter()))
    store.run(statement("DROP TABLE backburner_jobs, backburner_schema"))
    with pytest.raises(SchemaMissing, match=r"backburner_jobs' doesn't exist.*run `backburner migrate`"):
        store.run(store.enqueue([new_job()]))


def test_a_user_who_may_see_no_table(store: MySQLStore, mysql_server: MySQL, ann: str) -> None:
    store.run(statement("CREATE TABLE things (name text)"))
    grant(mysql_server, "SELECT", ann, "things")
    text = refusal_of(ann, ConfigurationError)
    assert "SELECT command denied to user" in text
    assert f"GRANT SELECT, INSERT, UPDATE, DELETE ON {ann.rpartition('/')[2]}.backburner_schema to this user" in text


def test_a_user_who_may_only_look(store: MySQLStore, mysql_server: MySQL, ann: str) -> None:
    grant(mysql_server, "SELECT", ann)
    with closing(opened(ann)) as hers:
        assert hers.run(hers.count(JobFilter())) == 0
        with pytest.raises(ConfigurationError, match="INSERT command denied .*GRANT SELECT, INSERT") as refused:
            hers.run(hers.enqueue([new_job()]))
    checked(refused.value)


def test_lacking_rights_to_migrate(mysql_server: MySQL, ann: str) -> None:
    grant(mysql_server, "SELECT, INSERT, UPDATE, DELETE", ann)
    with closing(opened(ann)) as hers, pytest.raises(ConfigurationError, match="CREATE command denied") as refused:
        hers.migrate()
    assert checked(refused.value).endswith(
        "grant CREATE, ALTER, INDEX and DROP to the user who runs `backburner migrate`"
    )


def test_a_user_who_may_only_work(store: MySQLStore, mysql_server: MySQL, ann: str) -> None:
    for table in ("jobs", "ready", "running", "finished", "workers", "queues"):
        grant(mysql_server, "SELECT, INSERT, UPDATE, DELETE", ann, f"backburner_{table}")
    grant(mysql_server, "SELECT", ann, "backburner_schema")
    with closing(opened(ann)) as hers:
        job = new_job(system_now())
        hers.run(hers.enqueue([job]))
        number = hers.run(hers.register(WorkerInfo("ann", "host", 1, None, 1)))
        (claimed,) = hers.run(hers.claim(ClaimRequest(lease_of(number, 1), "ann", 5))).jobs
        assert hers.run(hers.settle([Settlement(job.id, claimed.lease or 0, Move.FINISH)])) == []
        hers.run(hers.pause("mail"))
        assert hers.run(hers.rescue(0)) == []
        assert hers.run(hers.prune(hers.now())) == 1
        assert isinstance(hers.problems(), list)


# Statements.


@pytest.mark.parametrize(
    ("number", "kind", "advice"),
    [
        (1021, StoreUnavailable, "is in trouble (as told): make room on its disk"),
        (1114, StoreUnavailable, "is in trouble (as told): make room on its disk"),
        (1205, StoreUnavailable, "holds what this one waits for (as told): end it, see SHOW ENGINE INNODB STATUS"),
        (1213, StoreUnavailable, "gave up this transaction for another one (as told): try again"),
        (3101, StoreUnavailable, "gave up this transaction for another one (as told): try again"),
        (1020, StoreUnavailable, "gave up this transaction for another one (as told): try again"),
        (1290, StoreUnavailable, "let the URL lead to the primary server"),
        (1792, StoreUnavailable, "let the URL lead to the primary server"),
        (1836, StoreUnavailable, "let the URL lead to the primary server"),
        (1053, StoreUnavailable, "was lost (as told)"),
        (1927, StoreUnavailable, "was lost (as told)"),
        (3169, StoreUnavailable, "was lost (as told)"),
        (4031, StoreUnavailable, "was lost (as told)"),
        (1317, StoreUnavailable, "did not get to it in time (as told): see SHOW PROCESSLIST"),
        (1969, StoreUnavailable, "did not get to it in time (as told): see SHOW PROCESSLIST"),
        (3024, StoreUnavailable, "did not get to it in time (as told): see SHOW PROCESSLIST"),
        (1146, SchemaMissing, "are missing or incomplete (as told): run `backburner migrate`"),
        (1054, SchemaMissing, "are missing or incomplete (as told): run `backburner migrate`"),
        (1142, ConfigurationError, "does not allow this (as told): grant this user"),
        (1153, StoreUnavailable, "is too big for"),
        (1665, ConfigurationError, "does not allow this (as told): set binlog_format to ROW or MIXED"),
        (1820, ConfigurationError, "does not allow this (as told): give this user a new password"),
        (1048, StoreUnavailable, "did not do what it was asked to: "),
    ],
)
def test_what_the_database_says(store: MySQLStore, number: int, kind: type[BackburnerError], advice: str) -> None:
    with pytest.raises(kind) as raised:
        store.run(raising(number))
    assert advice in checked(raised.value)
    assert store.run(statement("SELECT 1")) == ((1,),)


def test_a_message_of_several_lines_is_said_in_one(store: MySQLStore) -> None:
    with pytest.raises(StoreUnavailable) as raised:
        store.run(raising(1021, "one\ntwo   three"))
    assert "(one two three)" in checked(raised.value)


def test_a_password_is_never_shown(store: MySQLStore, mysql_server: MySQL, ann: str) -> None:
    grant(mysql_server, "ALL", ann)
    with closing(opened(ann)) as hers:
        assert SECRET not in hers.url
        assert SECRET not in repr(vars(hers))
        assert SECRET not in repr(hers._server.place)
        with pytest.raises(StoreUnavailable) as raised:
            hers.run(raising(1021, f"the password is {SECRET}!"))
        assert "the password is ***!" in checked(raised.value)


def test_what_waits_for_a_lock_has_an_end(store: MySQLStore, mysql_url: str) -> None:
    job = new_job()
    store.run(store.enqueue([job]))
    with (
        closing(connect(mysql_url)) as holder,
        holder.cursor() as cursor,
        closing(opened(f"{mysql_url}?timeout=7")) as hers,
    ):
        cursor.execute("SELECT * FROM backburner_jobs FOR UPDATE")
        with pytest.raises(StoreUnavailable, match="another transaction in .* holds what this one waits for") as raised:
            hers.run(hers.cancel(job.id))
        checked(raised.value)
        holder.rollback()
        assert hers.run(hers.cancel(job.id)).id == job.id


def test_who_waits_for_a_lock_gets_it_when_it_is_free(store: MySQLStore, mysql_url: str) -> None:
    job = new_job()
    store.run(store.enqueue([job]))
    began = threading.Event()
    tries = []

    def waiting() -> Op[None]:
        tries.append(1)
        yield BEGIN
        yield Statement("SELECT 1")
        if len(tries) == 2:
            began.set()  # once a wait has ended in vain
        yield Statement("SELECT 1 FROM backburner_jobs FOR UPDATE")

    thread = threading.Thread(target=lambda: store.run(Renewable(waiting)))
    with closing(connect(mysql_url)) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT * FROM backburner_jobs FOR UPDATE")
        thread.start()
        assert began.wait(PATIENCE)
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert len(tries) >= 2


def test_a_deadlock_is_nobodys_business_when_the_operation_can_be_begun_anew(store: MySQLStore) -> None:
    store.run(statement("CREATE TABLE things (name varchar(10) PRIMARY KEY, number integer)"))
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
    threads = [threading.Thread(target=lambda o=o: run(Renewable(lambda: locking(*o)))) for o in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(tries) == 3
    assert store.run(statement("SELECT CAST(sum(number) AS SIGNED) FROM things")) == ((4,),)


def test_a_read_only_flip(private_mysql: MySQLServer) -> None:
    private_mysql.create_user("ann", SECRET)
    with private_mysql.fresh_database() as admin_url:
        url = with_parts(admin_url, user="ann", password=SECRET)
        grant(private_mysql, "ALL", url)
        store = opened(url)
        store.migrate()
        store.run(store.enqueue([new_job()]))
        private_mysql.execute_as_admin("SET GLOBAL read_only = 1")
        with pytest.raises(StoreUnavailable, match="takes no changes just now .*read-only") as raised:
            store.run(store.enqueue([new_job()]))
        checked(raised.value)
        assert store.run(store.count(JobFilter())) == 1
        assert "The server is read-only: let the URL lead to the primary server." in store.problems()
        private_mysql.execute_as_admin("SET GLOBAL read_only = 0")
        store.run(store.enqueue([new_job()]))
        assert store.run(store.count(JobFilter())) == 2
        store.close()


# Big ones.


@pytest.fixture
def narrow() -> Iterator[MySQLStore]:
    """A store on a server that takes no more than a megabyte at once."""
    with MySQLServer({**FAST, "max-allowed-packet": "1M"}) as server, server.fresh_database() as url:
        store = opened(url)
        store.migrate()
        yield store
        store.close()


def test_a_job_that_is_too_big_is_refused_where_it_is_enqueued(narrow: MySQLStore) -> None:
    job = new_job(handler=f'"{"x" * 1_100_000}"')
    expected = (
        r"a job is too big for mysql://.*, which takes 1,048,576 bytes at once and not 1,100,\d+: give it smaller"
    )
    with pytest.raises(StoreUnavailable, match=expected) as raised:
        narrow.run(narrow.enqueue([job]))
    checked(raised.value)
    assert narrow.run(narrow.count(JobFilter())) == 0
    with closing(connect(narrow.url)) as connection, pytest.raises(StoreUnavailable, match="is too big") as raised:
        narrow.run(narrow.enqueue([job]), connection)
    checked(raised.value)


def test_many_that_are_too_big_together_are_stored_and_settled(narrow: MySQLStore) -> None:
    jobs = [new_job(system_now(), handler=f'"{"€" * 100_000}"') for _ in range(12)]
    narrow.run(narrow.enqueue(jobs))
    number = narrow.run(narrow.register(WorkerInfo("ann", "host", 1, None, 1)))
    request = ClaimRequest(lease_of(number, 1), "ann", 50)
    claimed = narrow.run(narrow.claim(request)).jobs
    assert [job.handler for job in claimed] == [job.handler for job in jobs]
    error = "why" * 60_000
    failed = [Settlement(job.id, request.lease, Move.FAIL, error=error) for job in claimed]
    assert narrow.run(narrow.settle(failed)) == []
    assert {job.last_error for job in narrow.run(narrow.find(JobFilter()))} == {error}


def test_what_is_too_long_together_is_one_transaction(narrow: MySQLStore) -> None:
    narrow.run(statement("CREATE TABLE things (name longtext NOT NULL)"))
    insert = Statement("INSERT INTO things VALUES (%s)", ("x" * 400_000,))

    def storing(*more: Statement) -> Op[list[int]]:
        yield BEGIN
        replies = yield Together([insert, insert, insert, insert, *more], ends=True)
        return [reply.changed for reply in replies]

    with pytest.raises(StoreUnavailable):
        narrow.run(storing(Statement("INSERT INTO things VALUES (NULL)")))
    assert narrow.run(statement("SELECT count(*) FROM things")) == ((0,),)
    assert narrow.run(storing()) == [1, 1, 1, 1]
    assert narrow.run(statement("SELECT count(*), min(length(name)) FROM things")) == ((4, 400_000),)


# problems(), for the doctor.


def test_problems_of_a_good_database(store: MySQLStore) -> None:
    unsafe = {
        "innodb_flush_log_at_trx_commit is 2: a crash may lose jobs that were committed just before. Set it to 1.",
        "innodb_doublewrite is off: a crash of the machine may destroy the database.",
    }
    assert set(store.problems()) <= unsafe  # the tests' server need not be safe


def test_relaxed_settings_are_a_problem(private_mysql: MySQLServer) -> None:
    for name, value in (("innodb_flush_log_at_trx_commit", 0), ("read_only", 1)):
        private_mysql.execute_as_admin(f"SET GLOBAL {name} = {value}")
    with closing(opened(private_mysql.url("mysql"))) as store:
        found = " ".join(store.problems())
    assert "innodb_flush_log_at_trx_commit is 0: a crash may lose jobs" in found
    assert "The server is read-only" in found


@pytest.mark.parametrize("value", ["OFF", "0", "DETECT_ONLY"])
def test_pages_that_are_written_once_are_a_problem(value: str) -> None:
    (found,) = problems._of_the_settings({"innodb_doublewrite": value})
    assert "innodb_doublewrite is off" in found


def test_long_transactions_are_a_problem(store: MySQLStore, mysql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "HOLDERS", problems.HOLDERS.replace(f"INTERVAL {problems.LONG} ", "INTERVAL -1 "))
    with closing(connect(mysql_url)) as holder, holder.cursor() as cursor:
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        found = [each for each in store.problems() if f"The transaction of connection {holder.thread_id()} has" in each]
        assert len(found) == 1
        assert found[0].endswith(f"claims become slow: end it (KILL {holder.thread_id()}).")


def test_a_young_transaction_is_no_problem_in_any_time_zone(private_mysql: MySQLServer) -> None:
    private_mysql.execute_as_admin("SET GLOBAL time_zone = '+05:00'")
    with closing(private_mysql.connect()) as holder, closing(opened(private_mysql.url("mysql"))) as store:
        holder.cursor().execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        assert [problem for problem in store.problems() if "has been open" in problem] == []


def test_a_clock_that_is_ahead_is_a_problem() -> None:
    assert list(problems._of_the_clock(0.9)) == []
    assert "is 90 s ahead of this machine's" in next(problems._of_the_clock(90.0))
    assert "is 90 s behind this machine's" in next(problems._of_the_clock(-90.0))
