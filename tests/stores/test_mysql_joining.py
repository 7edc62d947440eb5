"""Enqueueing on the application's own PyMySQL connection, whatever state that connection is in."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from pymysql import converters
from pymysql.connections import Connection
from pymysql.cursors import DictCursor, SSCursor, SSDictCursor

from backburner.authoring.ids import UuidMaker
from backburner.core.errors import ConfigurationError, SchemaMissing, StoreUnavailable
from backburner.core.job import Job
from backburner.core.lifecycle import Move
from backburner.core.ops import BEGIN, Op, Statement
from backburner.core.ports import ClaimRequest, JobFilter, Settlement, WorkerInfo, lease_of
from backburner.core.times import system_now
from backburner.stores.open import open_store
from backburner.stores.sql.mysql.store import MySQLStore
from backburner.testing.contract.driving import new_job
from tests.servers.mysql import MySQL, MySQLServer
from tests.servers.proxy import Proxy
from tests.servers.urls import with_parts
from tests.stores.mysql import connect

PATIENCE = 20.0

LEVELS = ["READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]

next_id = UuidMaker()  # such as applications make, not those of the tests, which look old


def opened(url: str) -> MySQLStore:
    store = open_store(url)
    assert isinstance(store, MySQLStore)
    return store


def brand_new() -> Job[Any]:
    return new_job(system_now(), id=next_id())


@pytest.fixture
def store(mysql_url: str) -> Iterator[MySQLStore]:
    store = opened(mysql_url)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def connection(mysql_url: str, store: MySQLStore) -> Iterator[Connection[Any]]:
    with closing(connect(mysql_url)) as connection:
        yield connection


def count(store: MySQLStore) -> int:
    return store.run(store.count(JobFilter()))


def do(connection: Connection[Any], text: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(text)
        return tuple(cursor.fetchall())


# Transactions.


def test_a_savepoint_that_is_rolled_back_drops_its_jobs(store: MySQLStore, connection: Connection[Any]) -> None:
    kept = new_job()
    store.run(store.enqueue([kept]), connection)
    do(connection, "SAVEPOINT mine")
    store.run(store.enqueue([new_job(), new_job()]), connection)
    do(connection, "ROLLBACK TO SAVEPOINT mine")
    connection.commit()
    assert [job.id for job in store.run(store.find(JobFilter()))] == [kept.id]


@pytest.mark.parametrize("number", [1, 3])
def test_the_transaction_is_neither_begun_nor_ended_by_us(
    store: MySQLStore, connection: Connection[Any], number: int
) -> None:
    do(connection, "CREATE TABLE things (name text)")
    do(connection, "INSERT INTO things VALUES ('a')")
    store.run(store.enqueue([new_job() for _ in range(number)]), connection)
    do(connection, "INSERT INTO things VALUES ('b')")
    assert store.run(store.count(JobFilter()), connection) == number
    assert count(store) == 0
    connection.rollback()
    assert count(store) == 0
    assert do(connection, "SELECT count(*) FROM things") == ((0,),)


@pytest.mark.parametrize("jobs", [1, 3])
def test_an_enqueue_inserts_and_nothing_else(private_mysql: MySQLServer, jobs: int) -> None:
    with private_mysql.fresh_database() as url, closing(connect(url)) as connection:
        store = opened(url)
        store.migrate()
        private_mysql.execute_as_admin("SET GLOBAL log_output = 'TABLE', GLOBAL general_log = 1")
        store.run(store.enqueue([brand_new() for _ in range(jobs)]), connection)
        connection.commit()
        store.close()
        text = "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE thread_id = %s ORDER BY event_time"
        said = [argument for (argument,) in private_mysql.execute_as_admin(text, [connection.thread_id()])]
    inserts = [statement.split()[:3] for statement in said if statement.startswith("INSERT")]
    assert inserts == [["INSERT", "INTO", "backburner_jobs"], ["INSERT", "INTO", "backburner_ready"]]
    assert [statement for statement in said if not statement.startswith("INSERT")] == ["COMMIT"]


@pytest.mark.parametrize("how", ["autocommit()", "SET autocommit = 1", "autocommit=True"])
def test_a_connection_that_commits_every_statement_commits_the_jobs(store: MySQLStore, how: str) -> None:
    with closing(connect(store.url, autocommit=how == "autocommit=True")) as connection:
        if how == "autocommit()":
            connection.autocommit(True)
        elif how.startswith("SET"):
            do(connection, how)
        store.run(store.enqueue([new_job()]), connection)
        store.run(store.enqueue([new_job(), new_job()]), connection)
        assert count(store) == 3
        connection.rollback()
        assert count(store) == 3


def test_on_such_a_connection_an_operation_is_done_whole_or_not_at_all(
    store: MySQLStore, connection: Connection[Any]
) -> None:
    def halves() -> Op[None]:
        yield BEGIN
        yield Statement("INSERT INTO backburner_queues VALUES ('a', TRUE)")
        yield Statement("INSERT INTO backburner_queues VALUES (NULL, TRUE)")

    connection.autocommit(True)
    with pytest.raises(StoreUnavailable, match="cannot be null"):
        store.run(halves(), connection)
    assert store.run(store.queues()) == []
    do(connection, "INSERT INTO backburner_queues VALUES ('b', TRUE)")
    assert [queue.name for queue in store.run(store.queues())] == ["b"]


@pytest.mark.parametrize("begin", ["BEGIN", "START TRANSACTION", "START TRANSACTION WITH CONSISTENT SNAPSHOT"])
def test_a_transaction_on_such_a_connection_is_joined(
    store: MySQLStore, connection: Connection[Any], begin: str
) -> None:
    connection.autocommit(True)
    do(connection, begin)
    store.run(store.pause("mail"), connection)
    store.run(store.enqueue([new_job(), new_job()]), connection)
    connection.rollback()
    assert count(store) == 0
    assert store.run(store.queues()) == []


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("level", LEVELS)
def test_an_open_transaction_with_new_jobs_holds_nobody_up(
    store: MySQLStore, connection: Connection[Any], level: str, number: int
) -> None:
    hasty = opened(f"{store.url}?timeout=1")
    worker = hasty.run(hasty.register(WorkerInfo("ann", "host", 1, None, 1)))
    hasty.run(hasty.enqueue([brand_new() for _ in range(5)]))
    do(connection, f"SET SESSION TRANSACTION ISOLATION LEVEL {level}")
    do(connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT")
    store.run(store.enqueue([brand_new() for _ in range(number)]), connection)
    for batch, expected in ((1, 5), (2, 3)):
        request = ClaimRequest(lease_of(worker, batch), "ann", 10)
        jobs = hasty.run(hasty.claim(request)).jobs
        assert len(jobs) == expected
        assert hasty.run(hasty.settle([Settlement(job.id, request.lease, Move.FINISH) for job in jobs])) == []
        hasty.run(hasty.enqueue([brand_new()]))
        hasty.run(hasty.enqueue([brand_new(), brand_new()]))
    assert hasty.run(hasty.prune(hasty.now())) == 8
    connection.commit()
    assert count(store) == 3 + number
    hasty.close()


def test_a_job_that_the_transaction_cannot_see_is_not_stored_again(
    store: MySQLStore, connection: Connection[Any]
) -> None:
    do(connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT")
    jobs = [brand_new() for _ in range(3)]
    store.run(store.enqueue(jobs[:2]))
    store.run(store.enqueue(jobs), connection)
    store.run(store.enqueue(jobs[:1]), connection)
    connection.commit()
    assert [job.id for job in store.run(store.find(JobFilter()))] == [job.id for job in jobs]


def test_many_jobs_are_joined(store: MySQLStore, connection: Connection[Any]) -> None:
    jobs = [new_job() for _ in range(5000)]
    store.run(store.enqueue(jobs), connection)
    store.run(store.enqueue(jobs), connection)
    assert count(store) == 0
    connection.commit()
    assert count(store) == 5000


def test_a_worker_may_work_on_the_callers_connection(store: MySQLStore, connection: Connection[Any]) -> None:
    job = brand_new()
    store.run(store.enqueue([job]))
    number = store.run(store.register(WorkerInfo("ann", "host", 1, None, 1)), connection)
    request = ClaimRequest(lease_of(number, 1), "ann", 5)
    claimed = store.run(store.claim(request), connection)
    assert [each.id for each in claimed.jobs] == [job.id]
    assert store.run(store.settle([Settlement(job.id, request.lease, Move.FINISH)]), connection) == []
    connection.rollback()
    assert count(store) == 1


def test_a_deadlock_in_the_callers_transaction_is_told(store: MySQLStore, connection: Connection[Any]) -> None:
    """Only the caller knows what else was in it, and has to begin it anew."""
    job = new_job()
    do(connection, "CREATE TABLE things (name varchar(10) PRIMARY KEY)")
    do(connection, "INSERT INTO things VALUES ('a')")
    connection.commit()
    with closing(connect(store.url)) as other:
        # Of two transactions the one is given up that has changed less.
        store.run(store.enqueue([job, *(new_job() for _ in range(20))]), other)
        do(connection, "SELECT * FROM things FOR UPDATE")
        waiting = threading.Thread(target=do, args=[other, "SELECT * FROM things FOR UPDATE"])
        waiting.start()
        begins_to_wait(connection, other)
        with pytest.raises(
            StoreUnavailable, match="gave up this transaction for another one .*; roll your transaction"
        ):
            store.run(store.enqueue([job]), connection)
        connection.rollback()
        waiting.join(PATIENCE)
        other.commit()
    assert count(store) == 21


def begins_to_wait(connection: Connection[Any], other: Connection[Any]) -> None:
    """Wait until the other connection executes a statement that must wait for this one."""
    pause = threading.Event()
    for _ in range(2000):
        processes = {row[0]: row[7] for row in do(connection, "SHOW FULL PROCESSLIST")}
        if processes[other.thread_id()] is not None:
            return
        pause.wait(0.01)
    raise AssertionError("nobody waits")


def test_an_error_leaves_the_transaction_to_the_caller(store: MySQLStore, connection: Connection[Any]) -> None:
    do(connection, "CREATE TABLE things (name text)")
    do(connection, "RENAME TABLE backburner_jobs TO elsewhere")
    do(connection, "INSERT INTO things VALUES ('a')")
    with pytest.raises(SchemaMissing, match=r"backburner_jobs' doesn't exist.*run `backburner migrate`"):
        store.run(store.enqueue([new_job()]), connection)
    connection.commit()
    assert do(connection, "SELECT * FROM things") == (("a",),)


# How the connection is set up.


@pytest.mark.parametrize("kind", [DictCursor, SSCursor, SSDictCursor])
def test_what_cursors_the_connection_makes_does_not_matter(store: MySQLStore, kind: type[Any]) -> None:
    with closing(connect(store.url, cursorclass=kind)) as connection:
        jobs = [new_job() for _ in range(3)]
        store.run(store.enqueue(jobs), connection)
        store.run(store.enqueue(jobs), connection)
        found = store.run(store.get(jobs[0].id), connection)
        assert found is not None
        assert found.id == jobs[0].id
        connection.commit()
    assert count(store) == 3


@pytest.mark.parametrize(
    "options",
    [
        {"conv": dict(converters.encoders)},
        {"use_unicode": False},
        {"sql_mode": "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT"},
        {"sql_mode": ""},
        {"init_command": "SET time_zone = '+05:00'"},
        {"init_command": "SET sql_safe_updates = 1"},
        {"autocommit": None},
        {"binary_prefix": True},
    ],
)
def test_how_the_connection_is_set_up_does_not_matter(store: MySQLStore, options: dict[str, Any]) -> None:
    job = brand_new()
    odd = new_job(handler="""{"a": "\\\\ ' \\" % %s ; -- 😀"}""", tags=("it's", "ü"), queue="it's")
    with closing(connect(store.url, **options)) as connection:
        store.run(store.enqueue([job]), connection)
        store.run(store.enqueue([odd, new_job()]), connection)
        connection.commit()
    found = store.run(store.get(odd.id))
    assert found is not None
    assert (found.handler, found.tags, found.queue) == (odd.handler, odd.tags, odd.queue)
    at_once = store.run(store.get(job.id))
    assert at_once is not None
    assert abs((at_once.run_at - system_now()).total_seconds()) < PATIENCE


def test_a_connection_with_a_smaller_character_set(store: MySQLStore) -> None:
    for charset in ("latin1", "utf8mb3", "gbk"):
        with closing(connect(store.url, charset=charset)) as connection:
            store.run(store.enqueue([new_job()]), connection)
            with pytest.raises(
                ConfigurationError, match=f"expected .* character set utf8mb4, got {charset}: connect with"
            ):
                store.run(store.enqueue([new_job(queue="größe")]), connection)
            connection.commit()
    assert count(store) == 3


def test_a_result_that_is_not_read_yet(store: MySQLStore) -> None:
    with closing(connect(store.url, cursorclass=SSCursor)) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT 1 UNION SELECT 2 UNION SELECT 3")
        assert cursor.fetchone() == (1,)
        with pytest.raises(ConfigurationError, match="no result that is not read yet: fetch all rows first"):
            store.run(store.enqueue([new_job()]), connection)
        assert cursor.fetchall() == [(2,), (3,)]
        store.run(store.enqueue([new_job()]), connection)
        connection.commit()
    assert count(store) == 1


def test_the_callers_own_results_are_left_alone(store: MySQLStore, connection: Connection[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 UNION SELECT 2")
        store.run(store.enqueue([new_job()]), connection)
        assert cursor.fetchall() == ((1,), (2,))


# Awaited.


def test_a_connection_may_be_awaited_on(store: MySQLStore, connection: Connection[Any]) -> None:
    asyncio.run(store.arun(store.enqueue([new_job()]), connection))
    assert count(store) == 0
    connection.commit()
    assert count(store) == 1


# Whose connection it is.


def test_another_kind_of_connection_is_refused(store: MySQLStore) -> None:
    with pytest.raises(
        ConfigurationError, match="expected connection= to be a pymysql Connection to .*, got builtins.str"
    ):
        store.run(store.enqueue([new_job()]), "a connection")


def test_a_closed_connection_is_refused(store: MySQLStore, connection: Connection[Any]) -> None:
    other = connect(store.url)
    other.close()
    with pytest.raises(ConfigurationError, match="expected connection= to be open, got a closed connection"):
        store.run(store.enqueue([new_job()]), other)


def test_a_connection_that_was_lost_is_told(
    store: MySQLStore, connection: Connection[Any], mysql_server: MySQL
) -> None:
    store.run(store.enqueue([new_job()]), connection)
    mysql_server.disconnect(connection.thread_id())
    with pytest.raises(StoreUnavailable, match="the connection to .* was lost .*; roll your transaction back"):
        store.run(store.enqueue([new_job()]), connection)
    with pytest.raises(ConfigurationError, match="got a closed connection"):
        store.run(store.enqueue([new_job()]), connection)
    assert count(store) == 0


def test_a_connection_to_another_database_is_refused(store: MySQLStore) -> None:
    with closing(connect(store.url, database="mysql")) as other:
        for _ in range(2):
            with pytest.raises(ConfigurationError, match=r"expected .* database test_\w+ at .*, got one to mysql at "):
                store.run(store.enqueue([new_job()]), other)


def test_a_connection_without_a_database_is_refused_until_it_uses_one(store: MySQLStore) -> None:
    with closing(connect(store.url, database=None)) as other:
        with pytest.raises(ConfigurationError, match=r"got one to no database at 127.0.0.1"):
            store.run(store.enqueue([new_job()]), other)
        do(other, f"USE {store.url.rpartition('/')[2]}")
        store.run(store.enqueue([new_job()]), other)
        other.commit()
    assert count(store) == 1


def test_a_connection_that_has_gone_to_another_database_does_not_find_the_tables(store: MySQLStore) -> None:
    with closing(connect(store.url)) as other:
        other.select_db("mysql")
        with pytest.raises(SchemaMissing, match=r"Table 'mysql\.backburner_jobs' doesn't exist"):
            store.run(store.enqueue([new_job()]), other)


def test_a_connection_to_the_same_name_on_another_server_is_refused(
    store: MySQLStore, private_mysql: MySQLServer
) -> None:
    database = store.url.rpartition("/")[2]
    private_mysql.execute_as_admin(f"CREATE DATABASE {database}")
    with (
        closing(connect(private_mysql.url(database))) as other,
        pytest.raises(ConfigurationError, match=r"got one to test_\w+ at 127.0.0.1:"),
    ):
        store.run(store.enqueue([new_job()]), other)


def test_a_connection_that_came_another_way_is_welcome(
    store: MySQLStore, mysql_server: MySQL, proxy_to: Callable[[str], Proxy]
) -> None:
    socket = mysql_server.execute_as_admin("SELECT @@socket")[0][0]
    ways: list[tuple[str, dict[str, Any]]] = [
        (store.url, {"host": "localhost"}),
        (store.url, {"unix_socket": socket}),
        (proxy_to(store.url).url, {}),
    ]
    for url, options in ways:
        with closing(connect(url, **options)) as connection:
            store.run(store.enqueue([new_job()]), connection)
            connection.commit()
    assert count(store) == 3


def test_so_is_one_to_a_store_that_came_by_a_socket(store: MySQLStore, mysql_server: MySQL, mysql_url: str) -> None:
    socket = mysql_server.execute_as_admin("SELECT @@socket")[0][0]
    local = opened(f"mysql://root@/{mysql_url.rpartition('/')[2]}?unix_socket={socket}")
    with closing(connect(mysql_url)) as connection:
        local.run(local.enqueue([new_job()]), connection)
        connection.commit()
    local.close()
    assert count(store) == 1


def test_a_store_that_has_never_connected_joins(store: MySQLStore, connection: Connection[Any]) -> None:
    fresh = opened(store.url)
    fresh.run(fresh.enqueue([new_job()]), connection)
    connection.commit()
    fresh.close()
    assert count(store) == 1


def test_a_store_that_cannot_connect_joins_all_the_same(store: MySQLStore, connection: Connection[Any]) -> None:
    nowhere = opened(with_parts(store.url, port=1))
    nowhere.run(nowhere.enqueue([new_job()]), connection)
    connection.commit()
    assert count(store) == 1
