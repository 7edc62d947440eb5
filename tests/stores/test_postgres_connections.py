"""How the PostgreSQL store uses its connections: how many, for how long, and what it does with odd ones."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg
import pytest

from backburner.core.errors import JobTimeout, StoreUnavailable
from backburner.core.ops import BEGIN, Op, Slow, Statement
from backburner.core.ports import JobFilter
from backburner.stores.open import open_store
from backburner.stores.sql.base import LOOK
from backburner.stores.sql.postgres.store import PostgresStore
from backburner.testing.contract.driving import new_job
from tests.servers.proxy import Proxy
from tests.stores.interruptions import Interruption, points

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0

Opened = Callable[..., PostgresStore]


@pytest.fixture
def opened(postgres_url: str) -> Iterator[Opened]:
    """A function that opens a store on this test's database, with these options in the URL."""
    stores = []

    def open_one(url: str = postgres_url, **options: object) -> PostgresStore:
        store = open_store(url + "?" + "&".join(f"{name}={value}" for name, value in options.items()))
        assert isinstance(store, PostgresStore)
        stores.append(store)
        return store

    yield open_one
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Opened) -> PostgresStore:
    store = opened()
    store.migrate()
    store.run(value("SELECT 1"))
    return store


def value(text: str, *parameters: object) -> Op[Any]:
    """Return the one value of a statement."""
    reply = yield Statement(text, parameters)
    return reply.rows[0][0]


def transaction(*texts: str) -> Op[None]:
    yield BEGIN
    for text in texts:
        yield Statement(text)


def look(text: str) -> Op[Any]:
    yield LOOK
    reply = yield Statement(text)
    return reply.rows[0][0]


def slow(text: str) -> Op[list[Any]]:
    reply = yield Slow(text)
    return list(reply.rows)


MY_PROCESS = "SELECT pg_backend_pid()"


def free_slots(store: PostgresStore) -> int:
    return len(store._pool.stock._free)


def soon(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    pause = threading.Event()
    deadline = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < deadline
        pause.wait(0.005)


@pytest.fixture
def eyes(postgres_url: str) -> Iterator[Callable[..., Any]]:
    """A function that asks the database, on a connection that has nothing to do with the store."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:

        def ask(text: str, *parameters: object) -> Any:
            return connection.execute(text.encode(), parameters or None).fetchone()[0]

        yield ask


def connections(eyes: Callable[..., Any]) -> int:
    return int(
        eyes(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )
    )


# One after the other, and many at once.


def test_the_same_connection_is_used_again(store: PostgresStore) -> None:
    assert len({store.run(value(MY_PROCESS)) for _ in range(5)}) == 1


def test_nothing_is_opened_before_the_first_use(opened: Opened, eyes: Callable[..., Any]) -> None:
    opened()
    assert connections(eyes) == 0


def test_threads_share_no_more_connections_than_they_may(opened: Opened) -> None:
    store = opened(pool_size=3)
    store.migrate()
    processes = []

    def work() -> None:
        processes.extend(store.run(value(MY_PROCESS)) for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(processes) == 240
    assert len(set(processes)) <= 3
    assert free_slots(store) == 3


def test_who_gets_no_connection_in_time_is_told_why(opened: Opened) -> None:
    store = opened(pool_size=1, timeout=0.3)
    store.migrate()
    begun = store.begin(slow("SELECT 1"))
    with pytest.raises(StoreUnavailable, match=r"all 1 connections .* in use for 0.3 s: raise pool_size in the URL"):
        store.run(value("SELECT 2"))
    assert begun.result() == [(1,)]
    assert store.run(value("SELECT 2")) == 2


def test_looks_leave_two_connections_to_those_who_work(opened: Opened) -> None:
    store = opened(pool_size=3, timeout=2)
    store.migrate()
    store.run(value("SELECT 1"))  # looks for the tables, which takes a connection as well
    with psycopg.connect(store.url.partition("?")[0]) as holder:
        holder.execute("SELECT pg_advisory_lock(1)")
        long = threading.Thread(target=store.run, args=[look("SELECT count(*) FROM pg_advisory_lock_shared(1)")])
        long.start()
        soon(lambda: free_slots(store) == 2)
        began = monotonic()
        with pytest.raises(StoreUnavailable, match="in use"):
            store.run(look("SELECT 1"))
        assert monotonic() - began >= 1.9
        begun = store.begin(slow("SELECT 1"))
        assert store.run(value("SELECT 2")) == 2
        assert begun.result() == [(1,)]
    long.join(PATIENCE)
    assert store.run(look("SELECT 3")) == 3


def test_a_session_is_set_up_once(store: PostgresStore) -> None:
    assert store.run(value("SHOW statement_timeout")) == "9s"
    assert store.run(value("SHOW idle_in_transaction_session_timeout")) == "30s"
    assert store.run(value("SHOW default_transaction_isolation")) == "read committed"
    assert store.run(value("SHOW application_name")) == "backburner"
    assert store.run(value("SHOW client_encoding")) == "UTF8"


def test_the_url_may_set_the_session_up_otherwise(opened: Opened) -> None:
    store = opened(options="-c%20statement_timeout%3D7s%20-c%20jit%3Don", application_name="shop", timeout=5)
    store.migrate()
    assert store.run(value("SHOW statement_timeout")) == "7s"
    assert store.run(value("SHOW jit")) == "on"
    assert store.run(value("SHOW application_name")) == "shop"
    assert store.run(value("SHOW idle_in_transaction_session_timeout")) == "30s"


def test_a_look_sees_one_moment_and_may_take_longer(store: PostgresStore) -> None:
    def looking() -> Op[list[Any]]:
        yield LOOK
        seen = []
        for name in ("transaction_isolation", "transaction_read_only", "statement_timeout"):
            reply = yield Statement(f"SHOW {name}")
            seen.append(reply.rows[0][0])
        return seen

    assert store.run(looking()) == ["repeatable read", "on", "54s"]
    assert store.run(value("SHOW statement_timeout")) == "9s"


def test_a_look_is_planned_for_what_is_asked(store: PostgresStore, opened: Opened) -> None:
    for name, own in {"enable_seqscan": "off", "enable_sort": "off", "plan_cache_mode": "force_generic_plan"}.items():
        assert store.run(value(f"SHOW {name}")) == own
        assert store.run(look(f"SHOW {name}")) == ("on" if own == "off" else "force_custom_plan")
        assert store.run(value(f"SHOW {name}")) == own
    told = opened(options="-c%20enable_sort%3Doff")
    assert told.run(look("SHOW enable_sort")) == "off"


def test_what_the_application_did_to_psycopg_does_not_matter(store: PostgresStore) -> None:
    code = (
        "import psycopg, uuid, sys\n"
        "from psycopg.types.string import TextLoader\n"
        "for oid in ('int8', 'uuid', 'int4', 'bool'): psycopg.adapters.register_loader(oid, TextLoader)\n"
        "from backburner.stores.open import open_store\n"
        "from backburner.testing.contract.driving import new_job\n"
        "store = open_store(sys.argv[1])\n"
        "job = new_job()\n"
        "store.run(store.enqueue([job]))\n"
        "assert store.run(store.get(job.id)).id == job.id\n"
        "with psycopg.connect(sys.argv[1]) as connection:\n"
        "    assert store.run(store.get(job.id), connection).id == job.id\n"
    )
    subprocess.run([sys.executable, "-c", code, store.url], check=True, cwd=ROOT)


# What raises, and what is left of it.


def test_an_operation_that_raises_is_undone_and_its_connection_is_used_again(store: PostgresStore) -> None:
    def failing() -> Op[None]:
        yield from transaction("CREATE TABLE things ()")
        raise LookupError

    before = store.run(value(MY_PROCESS))
    with pytest.raises(LookupError):
        store.run(failing())
    assert store.run(value("SELECT to_regclass('things')")) is None
    assert store.run(value(MY_PROCESS)) == before


def test_so_is_one_whose_statement_fails(store: PostgresStore) -> None:
    before = store.run(value(MY_PROCESS))
    with pytest.raises(StoreUnavailable, match="DivisionByZero"):
        store.run(transaction("CREATE TABLE things ()", "SELECT 1/0"))
    assert store.run(value("SELECT to_regclass('things')")) is None
    assert store.run(value(MY_PROCESS)) == before


def test_an_operation_may_catch_the_error_of_a_statement(store: PostgresStore) -> None:
    def catching() -> Op[str]:
        try:
            yield Statement("SELECT 1/0")
        except StoreUnavailable:
            reply = yield Statement("SELECT 'caught'")
        return str(reply.rows[0][0])

    assert store.run(catching()) == "caught"


@pytest.mark.parametrize("error", [KeyboardInterrupt, JobTimeout])
def test_a_signal_ends_a_wait_at_once(store: PostgresStore, error: type[BaseException]) -> None:
    def interrupt(*_: object) -> None:
        raise error

    previous = signal.signal(signal.SIGALRM, interrupt)
    began = monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(error):
            store.run(value("SELECT pg_sleep(8)"))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert monotonic() - began < 2
    assert store.run(value("SELECT 1")) == 1
    assert free_slots(store) == 10


@contextmanager
def timeouts_reaching_nobody() -> Iterator[None]:
    """Let a JobTimeout pass that comes while something is tidied up: an object, or a generator that nobody needs."""
    hook = sys.unraisablehook
    sys.unraisablehook = lambda unraisable: None if unraisable.exc_type is JobTimeout else hook(unraisable)
    try:
        yield
    finally:
        sys.unraisablehook = hook


def interrupted_at(point: int, store: PostgresStore, call: Callable[[], object]) -> bool:
    """Call something, interrupted at that point; return whether it came so far."""
    with timeouts_reaching_nobody():
        was_raised = Interruption(point, "stores|psycopg").reaches(call)
    assert free_slots(store) == 10
    return was_raised


@pytest.mark.slow
def test_a_timeout_anywhere_in_an_enqueue(store: PostgresStore, eyes: Callable[..., Any]) -> None:
    def check(point: int) -> bool:
        jobs = [new_job() for _ in range(2)]
        was_raised = interrupted_at(point, store, lambda: store.run(store.enqueue(jobs)))
        # What was sent before its connection was closed may be executed all the same, a moment later.
        soon(lambda: connections(eyes) <= sum(slot.wire is not None for slot in store._pool.slots))  # type: ignore[attr-defined]
        assert store.run(store.delete_all(JobFilter())) in (0, 2)
        return was_raised

    assert points(check) > 50
    assert connections(eyes) <= 2


@pytest.mark.slow
def test_a_timeout_anywhere_in_a_transaction(store: PostgresStore, eyes: Callable[..., Any]) -> None:
    store.run(transaction("CREATE TABLE things (name text)"))

    def check(point: int) -> bool:
        op = transaction("INSERT INTO things VALUES ('a')", "INSERT INTO things VALUES ('b')")
        was_raised = interrupted_at(point, store, lambda: store.run(op))
        assert eyes("SELECT count(*) % 2 FROM things") == 0
        return was_raised

    assert points(check) > 50


@pytest.mark.slow
def test_a_timeout_anywhere_in_a_look(store: PostgresStore) -> None:
    def check(point: int) -> bool:
        was_raised = interrupted_at(point, store, lambda: store.run(store.count(JobFilter())))
        assert store.run(store.count(JobFilter())) == 0
        assert len(store._pool._looks._free) == 8
        return was_raised

    assert points(check) > 50


@pytest.mark.slow
def test_a_timeout_anywhere_in_the_first_use(opened: Opened, store: PostgresStore) -> None:
    def check(point: int) -> bool:
        fresh = opened()
        was_raised = interrupted_at(point, fresh, lambda: fresh.run(fresh.count(JobFilter())))
        assert fresh.run(fresh.count(JobFilter())) == 0
        fresh.close()
        return was_raised

    assert points(check) > 100


@pytest.mark.slow
def test_a_timeout_anywhere_between_begin_and_result(store: PostgresStore) -> None:
    def check(point: int) -> bool:
        was_raised = interrupted_at(point, store, lambda: store.begin(slow("SELECT 1")).result())
        assert store.run(value("SELECT 1")) == 1
        return was_raised

    assert points(check) > 50


@pytest.mark.slow
def test_a_timeout_anywhere_in_an_awaited_operation(store: PostgresStore, eyes: Callable[..., Any]) -> None:
    store.run(transaction("CREATE TABLE things (name text)"))
    with asyncio.Runner() as runner:
        runner.run(store.arun(value("SELECT 1")))
        (pool,) = store._pools._pools.values()

        def check(point: int) -> bool:
            op = transaction("INSERT INTO things VALUES ('a')", "INSERT INTO things VALUES ('b')")
            was_raised = interrupted_at(point, store, lambda: runner.run(store.arun(op)))
            assert len(pool._stock._free) == 10
            assert eyes("SELECT count(*) % 2 FROM things") == 0
            return was_raised

        assert points(check) > 50


def test_timeouts_in_threads_at_any_time(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the worker's watchdog raises them."""
    import ctypes

    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)  # some hit a `__del__`, and reach nobody
    monkeypatch.setattr(threading, "excepthook", lambda _: None)  # others hit the handler of the one before
    raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
    is_over = threading.Event()
    caught = []

    def work() -> None:
        while not is_over.is_set():
            with suppress(JobTimeout):
                try:
                    store.run(transaction("SELECT 1", "SELECT 2"))
                    store.begin(slow("SELECT 1")).result()
                except JobTimeout:
                    caught.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
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
    assert free_slots(store) == 10
    assert store.run(value("SELECT 1")) == 1


# Servers and networks that say nothing.


@pytest.fixture
def proxied(store: PostgresStore, opened: Opened, proxy_to: Callable[[str], Proxy]) -> tuple[PostgresStore, Proxy]:
    """A store with half a second of patience behind a proxy, with a connection."""
    proxy = proxy_to(store.url.partition("?")[0])
    through = opened(proxy.url, timeout=0.5)
    through.run(value("SELECT 1"))
    return through, proxy


def test_a_call_has_an_end(proxied: tuple[PostgresStore, Proxy]) -> None:
    store, proxy = proxied
    before = store.run(value(MY_PROCESS))
    proxy.hang()
    began = monotonic()
    with pytest.raises(StoreUnavailable, match=r"did not answer in time \(nothing came for 0.5 s\)"):
        store.run(value("SELECT 1"))
    assert 0.4 < monotonic() - began < 3
    proxy.resume()
    assert store.run(value(MY_PROCESS)) != before


def test_an_awaited_call_has_an_end(proxied: tuple[PostgresStore, Proxy]) -> None:
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


def test_what_was_begun_has_an_end(proxied: tuple[PostgresStore, Proxy]) -> None:
    store, proxy = proxied
    proxy.hang()
    begun = store.begin(slow("SELECT 1"))
    with pytest.raises(StoreUnavailable, match="did not answer in time"):
        begun.result()
    proxy.resume()
    assert store.run(value("SELECT 2")) == 2


def test_the_server_gives_up_before_we_do(store: PostgresStore, opened: Opened) -> None:
    impatient = opened(timeout=0.5)
    before = impatient.run(value(MY_PROCESS))
    with pytest.raises(StoreUnavailable, match="statement timeout"):
        impatient.run(value("SELECT pg_sleep(5)"))
    assert impatient.run(value(MY_PROCESS)) == before


def test_a_server_that_takes_the_connection_and_says_nothing(opened: Opened, proxy_to: Callable[[str], Proxy]) -> None:
    url = opened().url
    proxy = proxy_to(url.partition("?")[0])
    proxy.hang()
    began = monotonic()
    with pytest.raises(StoreUnavailable, match="cannot connect to .*timeout"):
        opened(proxy.url, timeout=2).run(value("SELECT 1"))
    assert monotonic() - began < 6


# Connections that end while nobody looks.


def terminate(eyes: Callable[..., Any], process: int) -> None:
    assert eyes("SELECT pg_terminate_backend(%s)", process)
    soon(lambda: eyes("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", process) == 0)


def test_a_transaction_begins_on_another_connection_when_the_first_has_ended(
    store: PostgresStore, eyes: Callable[..., Any]
) -> None:
    terminate(eyes, store.run(value(MY_PROCESS)))
    store.run(transaction("CREATE TABLE things ()"))
    assert eyes("SELECT to_regclass('things')::text") == "things"


def test_an_enqueue_is_repeated_when_the_connection_has_ended(store: PostgresStore, eyes: Callable[..., Any]) -> None:
    terminate(eyes, store.run(value(MY_PROCESS)))
    store.run(store.enqueue([new_job()]))
    assert store.run(store.count(JobFilter())) == 1


def test_what_cannot_be_repeated_says_that_the_connection_was_lost(
    store: PostgresStore, eyes: Callable[..., Any]
) -> None:
    terminate(eyes, store.run(value(MY_PROCESS)))
    with pytest.raises(StoreUnavailable, match="the connection to .* was lost"):
        store.run(value("SELECT 1"))
    assert store.run(value("SELECT 1")) == 1


def test_a_connection_that_has_rested_is_looked_at_first(store: PostgresStore, eyes: Callable[..., Any]) -> None:
    terminate(eyes, store.run(value(MY_PROCESS)))
    for slot in store._pool.slots:
        slot._rested_since -= 60
    assert store.run(value("SELECT 1")) == 1


def test_when_one_connection_has_ended_the_others_are_not_used_again(
    store: PostgresStore, eyes: Callable[..., Any]
) -> None:
    begun = [store.begin(slow(MY_PROCESS)) for _ in range(4)]
    processes = [each.result()[0][0] for each in begun]
    assert len(set(processes)) == 4
    terminate(eyes, store.run(value(MY_PROCESS)))
    store.run(transaction("SELECT 1"))
    soon(lambda: connections(eyes) == 1)
    assert store.run(value(MY_PROCESS)) not in processes


# Begun operations.


def test_a_begun_statement_goes_on_while_nobody_waits_for_it(store: PostgresStore, eyes: Callable[..., Any]) -> None:
    store.run(transaction("CREATE TABLE things (name text)"))
    for number in range(1, 9):  # some of them before the statement is prepared, and some after
        begun = store.begin(slow("INSERT INTO things VALUES ('a') RETURNING name"))
        soon(lambda number=number: eyes("SELECT count(*) FROM things") == number)
        assert begun.result() == [("a",)]


def test_a_begun_transaction_is_committed_with_its_result(store: PostgresStore, eyes: Callable[..., Any]) -> None:
    def inserting() -> Op[int]:
        yield BEGIN
        yield Statement("CREATE TABLE things (name text)")
        reply = yield Slow("INSERT INTO things VALUES ('a')")
        yield Statement("INSERT INTO things VALUES ('b')")
        return int(reply.changed)

    begun = store.begin(inserting())
    assert eyes("SELECT to_regclass('things')") is None
    assert begun.result() == 1
    assert eyes("SELECT count(*) FROM things") == 2


def test_a_result_may_be_received_in_another_thread(store: PostgresStore) -> None:
    begun = store.begin(slow("SELECT 1"))
    results = []
    thread = threading.Thread(target=lambda: results.append(begun.result()))
    thread.start()
    thread.join(PATIENCE)
    assert results == [[(1,)]]
    assert free_slots(store) == 10


@pytest.mark.parametrize("text", ["SELECT 1/0", "SELECT", "SELEC 1"])
def test_an_error_comes_with_the_result(store: PostgresStore, text: str) -> None:
    def failing() -> Op[None]:
        yield Statement(text) if text == "SELEC 1" else Slow(text)
        raise LookupError

    begun = store.begin(failing())
    with pytest.raises((StoreUnavailable, LookupError)):
        begun.result()
    assert free_slots(store) == 10
    assert store.run(value("SELECT 1")) == 1


def test_an_operation_without_a_slow_statement_has_ended_when_it_was_begun(
    store: PostgresStore, eyes: Callable[..., Any]
) -> None:
    begun = store.begin(transaction("CREATE TABLE things ()"))
    assert eyes("SELECT to_regclass('things')::text") == "things"
    assert free_slots(store) == 10
    assert begun.result() is None


def test_a_result_that_nobody_asks_for_costs_a_connection(store: PostgresStore, eyes: Callable[..., Any]) -> None:
    begun = store.begin(slow("SELECT pg_sleep(5)"))
    assert free_slots(store) == 9
    del begun
    assert free_slots(store) == 10
    assert store.run(value("SELECT 1")) == 1


def test_missing_tables_are_told_of_with_the_result(opened: Opened) -> None:
    from backburner.core.errors import SchemaMissing

    store = opened()
    begun = store.begin(store.count(JobFilter()))
    with pytest.raises(SchemaMissing, match="run `backburner migrate`"):
        begun.result()


# Event loops.


def test_many_tasks_share_few_connections(store: PostgresStore, opened: Opened) -> None:
    few = opened(pool_size=3)

    async def working() -> list[int]:
        return await asyncio.gather(*(few.arun(value(MY_PROCESS)) for _ in range(50)))

    assert len(set(asyncio.run(working()))) <= 3


def test_each_loop_has_its_own_and_leaves_none_behind(store: PostgresStore, eyes: Callable[..., Any]) -> None:
    before = connections(eyes)
    for _ in range(3):
        asyncio.run(store.arun(value("SELECT 1")))
    soon(lambda: connections(eyes) == before)


def test_loops_in_several_threads(store: PostgresStore) -> None:
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


def test_closing_closes_the_connections_of_loops_too(store: PostgresStore, eyes: Callable[..., Any]) -> None:
    async def working() -> None:
        await store.arun(value("SELECT 1"))
        store.close()
        await asyncio.to_thread(soon, lambda: connections(eyes) == 0)

    asyncio.run(working())


def test_a_task_that_is_cancelled_leaves_no_connection_in_the_middle(store: PostgresStore, opened: Opened) -> None:
    few = opened(pool_size=1)

    async def working() -> None:
        for _ in range(5):
            task = asyncio.create_task(few.arun(value("SELECT pg_sleep(5)")))
            await asyncio.wait([task], timeout=0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await few.arun(value("SELECT 1")) == 1

    asyncio.run(working())


# Forks.

FORKING = """
import os, sys, gc
from backburner.core.ops import Statement
from backburner.stores.open import open_store
def process():
    reply = yield Statement("SELECT pg_backend_pid()")
    return reply.rows[0][0]
store = open_store(sys.argv[1])
watch = store.watch()
parents = store.run(process())
child = os.fork()
if child == 0:
    own = store.run(process())
    store.notify()
    store.close()
    gc.collect()
    os._exit(0 if own != parents else 1)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0
assert store.run(process()) == parents
assert watch.wait(20), "the parent listens still"
store.close()
"""


FORKING_AN_AWAITING_STORE = """
import asyncio, os, sys, gc
from backburner.core.ops import Statement
from backburner.stores.open import open_store
def process():
    reply = yield Statement("SELECT pg_backend_pid()")
    return reply.rows[0][0]
store = open_store(sys.argv[1])
with asyncio.Runner() as runner:
    parents = runner.run(store.arun(process()))
    child = os.fork()
    if child == 0:
        with asyncio.Runner() as own_runner:
            own = own_runner.run(store.arun(process()))
        store.close()
        gc.collect()
        os._exit(0 if own != parents else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert runner.run(store.arun(process())) == parents
store.close()
"""


@pytest.mark.parametrize("program", [FORKING, FORKING_AN_AWAITING_STORE], ids=["blocking", "awaiting"])
def test_a_fork_has_its_own_connections(store: PostgresStore, program: str) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", program, store.url], check=True, cwd=ROOT)
