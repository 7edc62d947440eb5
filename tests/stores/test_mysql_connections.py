"""How the MySQL store uses its connections: how many, for how long, and what it does with odd ones."""

from __future__ import annotations

import asyncio
import ctypes
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from backburner.authoring.ids import UuidMaker
from backburner.core.errors import JobTimeout, SchemaMissing, StoreUnavailable
from backburner.core.lifecycle import Move
from backburner.core.ops import BEGIN, Op, Renewable, Statement
from backburner.core.ports import ClaimRequest, JobFilter, Settlement, WorkerInfo, lease_of
from backburner.core.times import system_now
from backburner.stores.open import open_store
from backburner.stores.sql.base import LOOK
from backburner.stores.sql.mysql.store import MySQLStore
from backburner.stores.sql.mysql.together import Together
from backburner.testing.contract.driving import new_job
from tests.servers.mysql import MySQL, MySQLServer
from tests.servers.proxy import Proxy
from tests.stores.interruptions import Interruption, points
from tests.stores.mysql import ISOLATION, connect

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0

Opened = Callable[..., MySQLStore]
Ask = Callable[..., Any]

next_id = UuidMaker()  # such as applications make, not those of the tests, which look old


@pytest.fixture
def opened(mysql_url: str) -> Iterator[Opened]:
    """A function that opens a store on this test's database, with these options in the URL."""
    stores = []

    def open_one(url: str = mysql_url, **options: object) -> MySQLStore:
        store = open_store(url + "?" + "&".join(f"{name}={value}" for name, value in options.items()))
        assert isinstance(store, MySQLStore)
        stores.append(store)
        return store

    yield open_one
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Opened) -> MySQLStore:
    store = opened()
    store.migrate()
    store.run(value("SELECT 1"))
    return store


def value(text: str, *parameters: object) -> Op[Any]:
    """Return the one value of a statement."""
    reply = yield Statement(text, parameters)
    return reply.rows[0][0]


def isolation() -> Op[str]:
    """Return the isolation level of the session."""
    reply = yield Statement(f"SHOW SESSION {ISOLATION}")
    return str(reply.rows[0][1])


def transaction(*texts: str) -> Op[None]:
    yield BEGIN
    for text in texts:
        yield Statement(text)


def at_once(*texts: str) -> Op[None]:
    yield BEGIN
    yield Together([Statement(text) for text in texts], ends=True)


def look(text: str) -> Op[Any]:
    yield LOOK
    reply = yield Statement(text)
    return reply.rows[0][0]


def slow(text: str) -> Op[list[Any]]:
    replies = yield Together([Statement(text)], is_slow=True)
    return list(replies[0].rows)


MY_NUMBER = "SELECT connection_id()"


def free_slots(store: MySQLStore) -> int:
    return len(store._pool.stock._free)


def soon(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    pause = threading.Event()
    deadline = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < deadline
        pause.wait(0.005)


@pytest.fixture
def eyes(mysql_url: str) -> Iterator[Ask]:
    """A function that asks the database, on a connection that has nothing to do with the store."""
    with closing(connect(mysql_url, autocommit=True)) as connection, connection.cursor() as cursor:

        def ask(text: str, *parameters: object) -> Any:
            cursor.execute(text, parameters or None)
            row = cursor.fetchone()
            return row[0] if row else None

        yield ask


OTHERS = "FROM information_schema.processlist WHERE db = DATABASE() AND id <> connection_id()"


def connections(eyes: Ask) -> int:
    return int(eyes(f"SELECT count(*) {OTHERS}"))


def things(store: MySQLStore) -> None:
    store.run(transaction("CREATE TABLE things (name varchar(20) NOT NULL) ENGINE InnoDB"))


# One after the other, and many at once.


def test_the_same_connection_is_used_again(store: MySQLStore) -> None:
    assert len({store.run(value(MY_NUMBER)) for _ in range(5)}) == 1


def test_nothing_is_opened_before_the_first_use(opened: Opened, eyes: Ask) -> None:
    opened()
    assert connections(eyes) == 0


def test_threads_share_no_more_connections_than_they_may(opened: Opened) -> None:
    store = opened(pool_size=3)
    store.migrate()
    numbers = []

    def work() -> None:
        numbers.extend(store.run(value(MY_NUMBER)) for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(numbers) == 240
    assert len(set(numbers)) <= 3
    assert free_slots(store) == 3


def test_who_gets_no_connection_in_time_is_told_why(opened: Opened) -> None:
    store = opened(pool_size=1, timeout=0.3)
    store.migrate()
    begun = store.begin(slow("SELECT 1"))
    with pytest.raises(StoreUnavailable, match=r"all 1 connections .* in use for 0.3 s: raise pool_size in the URL"):
        store.run(value("SELECT 2"))
    assert begun.result() == [(1,)]
    assert store.run(value("SELECT 2")) == 2


def test_looks_leave_two_connections_to_those_who_work(opened: Opened, eyes: Ask) -> None:
    store = opened(pool_size=3, timeout=2)
    store.migrate()
    store.run(value("SELECT 1"))  # looks for the tables, which takes a connection as well
    eyes("SELECT GET_LOCK('look', 0)")
    long = threading.Thread(target=store.run, args=[look("SELECT GET_LOCK('look', 20)")])
    long.start()
    soon(lambda: free_slots(store) == 2)
    began = monotonic()
    with pytest.raises(StoreUnavailable, match="in use"):
        store.run(look("SELECT 1"))
    assert monotonic() - began >= 1.9
    begun = store.begin(slow("SELECT 1"))
    assert store.run(value("SELECT 2")) == 2
    assert begun.result() == [(1,)]
    eyes("SELECT RELEASE_LOCK('look')")
    long.join(PATIENCE)
    assert store.run(look("SELECT 3")) == 3


def test_a_session_is_set_up_once(store: MySQLStore) -> None:
    assert store.run(isolation()) == "READ-COMMITTED"
    assert "STRICT_TRANS_TABLES" in store.run(value("SELECT @@sql_mode"))
    assert store.run(value("SELECT @@innodb_lock_wait_timeout")) == 1
    assert store.run(value("SELECT @@character_set_client")) == "utf8mb4"
    assert store.run(value("SELECT @@autocommit")) == 1


UNUSUAL = ("autocommit = 0", "completion_type = 1", "sql_safe_updates = 1", "sql_mode = 'ANSI,ONLY_FULL_GROUP_BY'")


def test_what_a_server_has_for_others_does_not_matter(private_mysql: MySQLServer) -> None:
    for setting in UNUSUAL:
        private_mysql.execute_as_admin(f"SET GLOBAL {setting}")
    with private_mysql.fresh_database() as url, closing(open_store(url)) as store, closing(open_store(url)) as other:
        store.migrate()
        job = new_job()
        store.run(store.enqueue([job]))
        number = other.run(other.register(WorkerInfo("ann", "host", 1, None, 1)))
        assert store.run(store.beat(number))
        claimed = other.run(other.claim(ClaimRequest(lease_of(number, 1), "ann", 1))).jobs
        assert [each.id for each in claimed] == [job.id]
        assert [each.id for each in store.run(store.rescue(0))] == [job.id]
        assert store.run(store.delete_all(JobFilter())) == other.run(other.count(JobFilter())) + 1 == 1


def test_a_longer_timeout_waits_longer_for_locks(opened: Opened) -> None:
    assert opened(timeout=60)._pool.run(value("SELECT @@innodb_lock_wait_timeout")) == 9


def test_a_look_sees_one_moment_and_changes_nothing(store: MySQLStore, eyes: Ask) -> None:
    things(store)

    def looking() -> Op[list[Any]]:
        yield LOOK
        first = yield Statement("SELECT count(*) FROM things")
        eyes("INSERT INTO things VALUES ('a')")
        second = yield Statement("SELECT count(*) FROM things")
        return [first.rows[0][0], second.rows[0][0]]

    def changing() -> Op[None]:
        yield LOOK
        yield Statement("INSERT INTO things VALUES ('b')")

    assert store.run(looking()) == [0, 0]
    with pytest.raises(StoreUnavailable):
        store.run(changing())
    assert store.run(isolation()) == "READ-COMMITTED"
    assert store.run(value("SELECT count(*) FROM things")) == 1


def test_what_the_application_did_to_pymysql_does_not_matter(store: MySQLStore) -> None:
    code = (
        "import pymysql, sys\n"
        "from pymysql import converters\n"
        "pymysql.install_as_MySQLdb()\n"
        "converters.conversions[pymysql.constants.FIELD_TYPE.LONGLONG] = str\n"
        "converters.decoders[pymysql.constants.FIELD_TYPE.LONGLONG] = str\n"
        "from backburner.stores.open import open_store\n"
        "from backburner.testing.contract.driving import new_job\n"
        "store = open_store(sys.argv[1])\n"
        "job = new_job()\n"
        "store.run(store.enqueue([job]))\n"
        "assert store.run(store.get(job.id)).id == job.id\n"
        "assert store.run(store.get(job.id)).created_at == job.created_at\n"
        "store.close()\n"
    )
    subprocess.run([sys.executable, "-c", code, store.url], check=True, cwd=ROOT)


# What raises, and what is left of it.


def test_an_operation_that_raises_is_undone_and_its_connection_is_used_again(store: MySQLStore) -> None:
    def failing() -> Op[None]:
        yield from transaction("INSERT INTO things VALUES ('a')")
        raise LookupError

    things(store)
    before = store.run(value(MY_NUMBER))
    with pytest.raises(LookupError):
        store.run(failing())
    assert store.run(value("SELECT count(*) FROM things")) == 0
    assert store.run(value(MY_NUMBER)) == before


@pytest.mark.parametrize("make", [transaction, at_once])
def test_so_is_one_whose_statement_fails(store: MySQLStore, make: Callable[..., Op[None]]) -> None:
    things(store)
    before = store.run(value(MY_NUMBER))
    with pytest.raises(StoreUnavailable, match="cannot be null"):
        store.run(make("INSERT INTO things VALUES ('a')", "INSERT INTO things VALUES (NULL)", "SELECT 1"))
    assert store.run(value("SELECT count(*) FROM things")) == 0
    assert store.run(value(MY_NUMBER)) == before


def test_an_operation_may_catch_the_error_of_a_statement(store: MySQLStore) -> None:
    things(store)

    def catching() -> Op[str]:
        yield BEGIN
        yield Statement("INSERT INTO things VALUES ('a')")
        try:
            yield Statement("INSERT INTO things VALUES (NULL)")
        except StoreUnavailable:
            reply = yield Statement("SELECT 'caught'")
        return str(reply.rows[0][0])

    assert store.run(catching()) == "caught"
    assert store.run(value("SELECT count(*) FROM things")) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, JobTimeout])
def test_a_signal_ends_a_wait_at_once(store: MySQLStore, error: type[BaseException]) -> None:
    def interrupt(*_: object) -> None:
        raise error

    previous = signal.signal(signal.SIGALRM, interrupt)
    began = monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(error):
            store.run(value("SELECT sleep(8)"))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert monotonic() - began < 2
    assert store.run(value("SELECT 1")) == 1
    assert free_slots(store) == 10


STEP = 3
"""Every third point: a test takes long enough."""

UNHEARD = frozenset({"Begun.__del__", "MySQLResult.__init__", "MySQLResult.__del__"})
"""Where an exception reaches nobody, or leads to one in `__del__` of PyMySQL's that reaches nobody."""


def interrupted_at(point: int, store: MySQLStore, call: Callable[[], object]) -> bool:
    """Call something, interrupted at that point; return whether it came so far."""
    was_raised = Interruption(point, "stores|pymysql", UNHEARD).reaches(call)
    assert free_slots(store) == 10
    return was_raised


def wait_for_the_end(store: MySQLStore, eyes: Ask) -> None:
    """Wait until the server has noticed that a connection has ended, and has done or undone what it was to do."""
    number = store.run(value(MY_NUMBER))
    soon(lambda: eyes(f"SELECT count(*) {OTHERS} AND id <> %s", number) == 0)


unclosed = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
"""PyMySQL leaves it to the garbage collector to close a socket when it is interrupted while it connects."""


@pytest.mark.slow
@unclosed
def test_a_timeout_anywhere_in_an_enqueue(store: MySQLStore, eyes: Ask) -> None:
    def check(point: int) -> bool:
        jobs = [new_job(system_now(), id=next_id()) for _ in range(2)]
        was_raised = interrupted_at(point, store, lambda: store.run(store.enqueue(jobs)))
        wait_for_the_end(store, eyes)
        assert store.run(store.delete_all(JobFilter())) in (0, 2)
        assert eyes("SELECT count(*) FROM backburner_ready") == 0
        return was_raised

    assert points(check, STEP) > 50
    assert connections(eyes) <= 2


@pytest.mark.slow
@unclosed
def test_a_timeout_anywhere_in_a_claim(store: MySQLStore, eyes: Ask) -> None:
    """What a worker does afterwards is to ask once more under the same lease."""
    number = store.run(store.register(WorkerInfo("ann", "host", 1, None, 1)))
    batches = iter(range(1, 100_000))

    def check(point: int) -> bool:
        store.run(store.enqueue([new_job(system_now(), id=next_id()) for _ in range(3)]))
        request = ClaimRequest(lease_of(number, next(batches)), "ann", 2)
        was_raised = interrupted_at(point, store, lambda: store.run(store.claim(request)))
        wait_for_the_end(store, eyes)
        repeated = ClaimRequest(request.lease, "ann", 2, repeats=True)
        claimed = store.run(store.claim(repeated)).jobs
        assert len(claimed) == 2
        assert eyes("SELECT count(*) FROM backburner_ready") == 1
        assert store.run(store.settle([Settlement(job.id, request.lease, Move.FINISH) for job in claimed])) == []
        assert store.run(store.delete_all(JobFilter())) == 1
        return was_raised

    assert points(check, STEP) > 50
    assert connections(eyes) <= 2


@pytest.mark.slow
@unclosed
@pytest.mark.parametrize("make", [transaction, at_once])
def test_a_timeout_anywhere_in_a_transaction(store: MySQLStore, eyes: Ask, make: Callable[..., Op[None]]) -> None:
    things(store)

    def check(point: int) -> bool:
        op = make("INSERT INTO things VALUES ('a')", "INSERT INTO things VALUES ('b')")
        was_raised = interrupted_at(point, store, lambda: store.run(op))
        wait_for_the_end(store, eyes)
        assert eyes("SELECT count(*) % 2 FROM things") == 0
        return was_raised

    assert points(check, STEP) > 30


@pytest.mark.slow
@unclosed
def test_a_timeout_anywhere_in_a_look(store: MySQLStore) -> None:
    def check(point: int) -> bool:
        was_raised = interrupted_at(point, store, lambda: store.run(store.count(JobFilter())))
        assert store.run(store.count(JobFilter())) == 0
        assert len(store._pool._looks._free) == 8
        return was_raised

    assert points(check, STEP) > 50


@pytest.mark.slow
@unclosed
def test_a_timeout_anywhere_in_the_first_use(opened: Opened, store: MySQLStore) -> None:
    def check(point: int) -> bool:
        fresh = opened()
        was_raised = interrupted_at(point, fresh, lambda: fresh.run(fresh.count(JobFilter())))
        assert fresh.run(fresh.count(JobFilter())) == 0
        fresh.close()
        return was_raised

    assert points(check, step=7) > 100


@pytest.mark.slow
@unclosed
def test_a_timeout_anywhere_between_begin_and_result(store: MySQLStore) -> None:
    def check(point: int) -> bool:
        was_raised = interrupted_at(point, store, lambda: store.begin(slow("SELECT 1")).result())
        assert store.run(value("SELECT 1")) == 1
        return was_raised

    assert points(check, STEP) > 50


@unclosed
def test_timeouts_in_threads_at_any_time(store: MySQLStore, eyes: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the worker's watchdog raises them; whoever asks next gets the answer to what was asked."""
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)  # some hit a `__del__`, and reach nobody
    monkeypatch.setattr(threading, "excepthook", lambda _: None)  # others hit the handler of the one before
    raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
    things(store)
    is_over = threading.Event()
    caught, wrong = [], []

    def work(number: int) -> None:
        while not is_over.is_set():
            store.run(at_once("INSERT INTO things VALUES ('a')", "INSERT INTO things VALUES ('b')"))
            answers = [store.run(value("SELECT %s", number)), store.begin(slow("SELECT 1")).result()]
            if answers != [number, [(1,)]]:
                wrong.append(answers)

    def work_on(number: int) -> None:
        while not is_over.is_set():
            try:
                work(number)
            except JobTimeout:
                caught.append(1)

    threads = [threading.Thread(target=work_on, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    deadline = monotonic() + 2
    pause = threading.Event()
    while monotonic() < deadline:
        for thread in threads:
            raise_in(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(JobTimeout))
        pause.wait(0.003)
    is_over.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert caught
    assert wrong == []
    assert free_slots(store) == 10
    assert store.run(value("SELECT 1")) == 1
    soon(lambda: eyes(f"SELECT count(*) {OTHERS} AND command <> 'Sleep'") == 0)
    assert eyes("SELECT count(*) % 2 FROM things FOR UPDATE") == 0  # nobody holds a lock there


# Servers and networks that say nothing.


@pytest.fixture
def proxied(store: MySQLStore, opened: Opened, proxy_to: Callable[[str], Proxy]) -> tuple[MySQLStore, Proxy]:
    """A store with half a second of patience behind a proxy, with a connection."""
    proxy = proxy_to(store.url.partition("?")[0])
    through = opened(proxy.url, timeout=0.5)
    through.run(value("SELECT 1"))
    return through, proxy


def test_a_call_has_an_end(proxied: tuple[MySQLStore, Proxy]) -> None:
    store, proxy = proxied
    before = store.run(value(MY_NUMBER))
    proxy.hang()
    began = monotonic()
    with pytest.raises(StoreUnavailable, match=r"did not answer in time .*: look after the server and the network"):
        store.run(value("SELECT 1"))
    assert 0.4 < monotonic() - began < 3
    proxy.resume()
    assert store.run(value(MY_NUMBER)) != before


def test_an_awaited_call_has_an_end(proxied: tuple[MySQLStore, Proxy]) -> None:
    store, proxy = proxied

    async def awaiting() -> None:
        await store.arun(value("SELECT 1"))
        proxy.hang()
        began = monotonic()
        with pytest.raises(StoreUnavailable, match="did not answer in time"):
            await store.arun(value("SELECT 1"))
        assert 0.4 < monotonic() - began < 3
        proxy.resume()
        assert await store.arun(value("SELECT 2")) == 2

    asyncio.run(awaiting())


def test_what_was_begun_has_an_end(proxied: tuple[MySQLStore, Proxy]) -> None:
    store, proxy = proxied
    proxy.hang()
    begun = store.begin(slow("SELECT 1"))
    with pytest.raises(StoreUnavailable, match="did not answer in time"):
        begun.result()
    proxy.resume()
    assert store.run(value("SELECT 2")) == 2


def test_a_statement_that_takes_too_long_is_given_up(store: MySQLStore, opened: Opened, eyes: Ask) -> None:
    impatient = opened(timeout=0.5)
    before = impatient.run(value(MY_NUMBER))
    with pytest.raises(StoreUnavailable, match="did not answer in time"):
        impatient.run(value("SELECT sleep(3)"))
    assert impatient.run(value(MY_NUMBER)) != before


def test_a_look_may_take_longer(store: MySQLStore, opened: Opened) -> None:
    impatient = opened(timeout=0.5)
    assert impatient.run(look("SELECT sleep(1)")) == 0
    with pytest.raises(StoreUnavailable, match="did not answer in time"):
        impatient.run(value("SELECT sleep(3)"))


def test_a_server_that_takes_the_connection_and_says_nothing(opened: Opened, proxy_to: Callable[[str], Proxy]) -> None:
    url = opened().url
    proxy = proxy_to(url.partition("?")[0])
    proxy.hang()
    began = monotonic()
    with pytest.raises(StoreUnavailable, match="cannot connect to .*timed out"):
        opened(proxy.url, timeout=1)._pool.run(value("SELECT 1"))
    assert monotonic() - began < 4


# Connections that end while nobody looks.


def kill(eyes: Ask, number: int) -> None:
    eyes(f"KILL {number}")
    soon(lambda: eyes(f"SELECT count(*) {OTHERS} AND id = %s", number) == 0)


def test_an_enqueue_is_repeated_when_the_connection_has_ended(store: MySQLStore, eyes: Ask) -> None:
    kill(eyes, store.run(value(MY_NUMBER)))
    store.run(store.enqueue([new_job()]))
    assert store.run(store.count(JobFilter())) == 1


def test_what_was_not_committed_is_begun_anew_on_another_connection(store: MySQLStore, eyes: Ask) -> None:
    things(store)
    numbers = []

    def killed() -> Op[None]:
        yield BEGIN
        yield Statement("INSERT INTO things VALUES ('a')")
        reply = yield Statement(MY_NUMBER)
        numbers.append(reply.rows[0][0])
        if len(numbers) == 1:
            kill(eyes, numbers[0])
        yield Statement("INSERT INTO things VALUES ('b')")

    store.run(Renewable(killed))
    assert len(set(numbers)) == 2
    assert eyes("SELECT count(*) FROM things") == 2


def test_what_cannot_be_repeated_says_that_the_connection_was_lost(store: MySQLStore, eyes: Ask) -> None:
    def killed() -> Op[None]:
        reply = yield Statement(MY_NUMBER)
        kill(eyes, reply.rows[0][0])
        yield Statement("SELECT 1")

    with pytest.raises(StoreUnavailable, match="the connection to .* was lost"):
        store.run(killed())
    assert store.run(value("SELECT 1")) == 1


def test_a_connection_is_looked_at_before_it_is_used(store: MySQLStore, eyes: Ask) -> None:
    kill(eyes, store.run(value(MY_NUMBER)))
    assert store.run(value("SELECT 1")) == 1


def test_that_the_server_closed_a_connection_for_resting_is_not_noticed(store: MySQLStore, eyes: Ask) -> None:
    store.run(transaction("SET SESSION wait_timeout = 1"))
    number = store.run(value(MY_NUMBER))
    soon(lambda: eyes(f"SELECT count(*) {OTHERS} AND id = %s", number) == 0)
    assert store.run(value("SELECT 1")) == 1


def test_a_kill_in_the_middle_of_a_transaction_undoes_it(store: MySQLStore, eyes: Ask) -> None:
    things(store)

    def killed() -> Op[None]:
        yield BEGIN
        yield Statement("INSERT INTO things VALUES ('a')")
        reply = yield Statement(MY_NUMBER)
        kill(eyes, reply.rows[0][0])
        yield Statement("INSERT INTO things VALUES ('b')")

    with pytest.raises(StoreUnavailable, match="was lost"):
        store.run(killed())
    assert eyes("SELECT count(*) FROM things") == 0
    store.run(transaction("INSERT INTO things VALUES ('c')"))
    assert eyes("SELECT count(*) FROM things") == 1


def test_a_query_that_is_killed_is_told(opened: Opened, eyes: Ask) -> None:
    store = opened(timeout=60)
    store.migrate()
    things(store)
    eyes("INSERT INTO things VALUES ('first')")
    number = store.run(value(MY_NUMBER))
    errors = []

    def wait() -> None:
        try:
            store.run(transaction("INSERT INTO things VALUES ('a')", "SELECT * FROM things FOR UPDATE"))
        except StoreUnavailable as error:
            errors.append(str(error))

    with closing(connect(store.url)) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT * FROM things FOR UPDATE")
        thread = threading.Thread(target=wait)
        thread.start()
        soon(lambda: eyes(f"SELECT count(*) {OTHERS} AND id = %s AND info LIKE '%%things%%'", number))
        eyes(f"KILL QUERY {number}")
        thread.join(PATIENCE)
    assert len(errors) == 1
    assert "did not get to it in time (Query execution was interrupted): see SHOW PROCESSLIST" in errors[0]
    assert store.run(value("SELECT count(*) FROM things")) == 1


def test_when_one_connection_has_ended_the_others_are_not_used_again(store: MySQLStore, eyes: Ask) -> None:
    begun = [store.begin(slow(MY_NUMBER)) for _ in range(4)]
    numbers = [each.result()[0][0] for each in begun]
    assert len(set(numbers)) == 4
    kill(eyes, store.run(value(MY_NUMBER)))
    assert store.run(value(MY_NUMBER)) not in numbers
    soon(lambda: connections(eyes) == 1)


def test_an_idle_connection_is_closed_some_time(store: MySQLStore, eyes: Ask) -> None:
    begun = [store.begin(slow(MY_NUMBER)) for _ in range(4)]
    for each in begun:
        each.result()
    assert connections(eyes) == 4
    for slot in store._pool.slots:
        slot._rested_since -= 3600  # type: ignore[attr-defined] # of all slots
    store._server.clock._asked_at -= 3600
    store.run(value("SELECT 1"))
    soon(lambda: connections(eyes) == 1)


def test_closing_says_goodbye(store: MySQLStore, eyes: Ask, mysql_server: MySQL) -> None:
    """A server notes connections that end without a word in its log."""
    counting = "SHOW GLOBAL STATUS LIKE 'Aborted_clients'"
    before = mysql_server.execute_as_admin(counting)
    for _ in range(5):
        store.run(value("SELECT 1"))
        store.close()
        soon(lambda: connections(eyes) == 0)
    assert mysql_server.execute_as_admin(counting) == before


def test_closing_twice_and_using_it_again(store: MySQLStore, eyes: Ask) -> None:
    store.close()
    store.close()
    soon(lambda: connections(eyes) == 0)
    store.run(store.enqueue([new_job()]))
    assert store.run(store.count(JobFilter())) == 1


# Begun operations.


def test_a_begun_statement_goes_on_while_nobody_waits_for_it(store: MySQLStore, eyes: Ask) -> None:
    things(store)
    begun = store.begin(slow("INSERT INTO things VALUES ('a')"))
    soon(lambda: eyes("SELECT count(*) FROM things") == 1)
    assert begun.result() == []


def test_a_result_may_be_received_in_another_thread(store: MySQLStore) -> None:
    begun = store.begin(slow("SELECT 1"))
    results = []
    thread = threading.Thread(target=lambda: results.append(begun.result()))
    thread.start()
    thread.join(PATIENCE)
    assert results == [[(1,)]]
    assert free_slots(store) == 10


@pytest.mark.parametrize("text", ["SELECT nothing", "SELECT 1", "SELEC 1"])
def test_an_error_comes_with_the_result(store: MySQLStore, text: str) -> None:
    def failing() -> Op[None]:
        yield Statement(text) if text == "SELEC 1" else Together([Statement(text)], is_slow=True)
        raise LookupError

    begun = store.begin(failing())
    with pytest.raises((StoreUnavailable, SchemaMissing, LookupError)):
        begun.result()
    assert free_slots(store) == 10
    assert store.run(value("SELECT 1")) == 1


def test_an_operation_without_a_slow_statement_has_ended_when_it_was_begun(store: MySQLStore, eyes: Ask) -> None:
    things(store)
    begun = store.begin(transaction("INSERT INTO things VALUES ('a')"))
    assert eyes("SELECT count(*) FROM things") == 1
    assert free_slots(store) == 10
    assert begun.result() is None


def test_a_result_that_nobody_asks_for_costs_a_connection(store: MySQLStore) -> None:
    begun = store.begin(slow("SELECT sleep(5)"))
    assert free_slots(store) == 9
    del begun
    assert free_slots(store) == 10
    assert store.run(value("SELECT 1")) == 1


def test_missing_tables_are_told_of_with_the_result(opened: Opened) -> None:
    store = opened()
    begun = store.begin(store.count(JobFilter()))
    with pytest.raises(SchemaMissing, match="run `backburner migrate`"):
        begun.result()


# Event loops.


def test_many_tasks_share_few_connections(store: MySQLStore, opened: Opened) -> None:
    few = opened(pool_size=3)

    async def working() -> list[int]:
        return await asyncio.gather(*(few.arun(value(MY_NUMBER)) for _ in range(50)))

    assert len(set(asyncio.run(working()))) <= 3


def test_the_loop_goes_on_meanwhile(store: MySQLStore, eyes: Ask) -> None:
    async def working() -> Any:
        eyes("SELECT GET_LOCK('loop', 0)")
        waiting = asyncio.create_task(store.arun(value("SELECT GET_LOCK('loop', 10)")))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not waiting.done()
        eyes("SELECT RELEASE_LOCK('loop')")
        return await waiting

    assert asyncio.run(working()) == 1


def test_loops_in_several_threads(store: MySQLStore) -> None:
    results = []

    def work() -> None:
        async def working() -> None:
            results.extend([await store.arun(value("SELECT 1")) for _ in range(10)])

        asyncio.run(working())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert results == [1] * 40


def test_closing_while_a_loop_goes_on(store: MySQLStore, eyes: Ask) -> None:
    async def working() -> None:
        await store.arun(value("SELECT 1"))
        store.close()
        await asyncio.to_thread(soon, lambda: connections(eyes) == 0)
        assert await store.arun(value("SELECT 2")) == 2

    asyncio.run(working())


def test_what_a_cancelled_task_asked_for_comes_to_its_end(store: MySQLStore, opened: Opened, eyes: Ask) -> None:
    """The thread that waits for the server cannot be interrupted: what it does is done whole or not at all."""
    few = opened(pool_size=2)
    things(few)

    async def working() -> None:
        for _ in range(5):
            op = transaction("INSERT INTO things VALUES ('a')", "SELECT sleep(0.05)", "INSERT INTO things VALUES ('b')")
            task = asyncio.create_task(few.arun(op))
            await asyncio.wait([task], timeout=0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await few.arun(value("SELECT 1")) == 1

    asyncio.run(working())
    soon(lambda: free_slots(few) == 2)
    assert eyes("SELECT count(*) FROM things WHERE name = 'a'") == eyes("SELECT count(*) FROM things WHERE name = 'b'")
    assert eyes(f"SELECT count(*) {OTHERS} AND command <> 'Sleep'") == 0


# Forks.

FORKING = """
import os, sys, gc
from backburner.core.ops import Statement
from backburner.stores.open import open_store
def number():
    reply = yield Statement("SELECT connection_id()")
    return reply.rows[0][0]
store = open_store(sys.argv[1])
watch = store.watch()
parents = store.run(number())
child = os.fork()
if child == 0:
    own = store.run(number())
    store.close()
    gc.collect()
    os._exit(0 if own != parents else 1)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0
assert store.run(number()) == parents
store.close()
"""


def test_a_fork_has_its_own_connections(store: MySQLStore) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", FORKING, store.url], check=True, cwd=ROOT)


FORKING_IN_A_LOOP = """
import asyncio, os, sys
from backburner.core.ops import Statement
from backburner.stores.open import open_store
def number():
    reply = yield Statement("SELECT connection_id()")
    return reply.rows[0][0]
store = open_store(sys.argv[1])
parents = asyncio.run(store.arun(number()))
child = os.fork()
if child == 0:
    own = asyncio.run(store.arun(number()))
    store.close()
    os._exit(0 if own != parents else 1)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0
assert asyncio.run(store.arun(number())) == parents
store.close()
"""


def test_a_fork_has_its_own_threads(store: MySQLStore) -> None:
    subprocess.run([sys.executable, "-c", FORKING_IN_A_LOOP, store.url], check=True, cwd=ROOT, timeout=PATIENCE)
