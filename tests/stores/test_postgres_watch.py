"""Hearing of new work: at once, from any process, never before it can be seen, and however the connection fares."""

from __future__ import annotations

import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg
import pytest

from backburner.core.ports import JobFilter
from backburner.stores.open import open_store
from backburner.stores.sql import polling
from backburner.stores.sql.postgres import notifier
from backburner.stores.sql.postgres.store import PostgresStore
from backburner.testing.contract.driving import new_job
from tests.servers.postgres import PostgresServer
from tests.servers.proxy import Proxy

ROOT = Path(__file__).parents[2]
LONG = 20.0
"""Seconds in which what is expected has happened for certain."""
SOON = 0.05
"""Seconds in which nothing is expected to happen."""


@pytest.fixture
def opened(postgres_url: str) -> Iterator[Callable[..., PostgresStore]]:
    stores: list[PostgresStore] = []

    def open_one(url: str = postgres_url) -> PostgresStore:
        store = open_store(url)
        assert isinstance(store, PostgresStore)
        stores.append(store)
        return store

    first = open_one()
    first.migrate()
    yield open_one
    for store in stores:
        store.close()


@pytest.fixture
def here(opened: Callable[..., PostgresStore]) -> PostgresStore:
    """The store of a worker."""
    return opened()


@pytest.fixture
def there(opened: Callable[..., PostgresStore]) -> PostgresStore:
    """The store of another process, as far as the database can tell."""
    return opened()


@pytest.fixture
def eyes(postgres_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


def listeners(eyes: psycopg.Connection[Any]) -> list[int]:
    found = eyes.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%' ORDER BY pid"
    )
    return [row[0] for row in found]


def soon(condition: Callable[[], object]) -> None:
    pause = threading.Event()
    deadline = monotonic() + LONG
    while not condition():
        assert monotonic() < deadline
        pause.wait(0.005)


def test_notice_from_another_process_is_heard(here: PostgresStore, there: PostgresStore) -> None:
    watch = here.watch()
    there.notify()
    assert watch.wait(LONG) is True
    watch.close()


def test_every_watch_hears_it_over_one_connection(
    here: PostgresStore, there: PostgresStore, eyes: psycopg.Connection[Any]
) -> None:
    watches = [here.watch() for _ in range(3)]
    assert len(listeners(eyes)) == 1
    there.notify()
    assert [watch.wait(LONG) for watch in watches] == [True] * 3
    for watch in watches:
        watch.close()


def test_the_connection_ends_with_the_last_watch(here: PostgresStore, eyes: psycopg.Connection[Any]) -> None:
    first, second = here.watch(), here.watch()
    first.close()
    first.close()
    assert len(listeners(eyes)) == 1
    second.close()
    soon(lambda: listeners(eyes) == [])
    third = here.watch()
    assert len(listeners(eyes)) == 1
    third.close()


def test_it_ends_with_the_store(here: PostgresStore, eyes: psycopg.Connection[Any]) -> None:
    watch = here.watch()
    here.close()
    assert watch.wait(LONG) is True
    soon(lambda: listeners(eyes) == [])
    watch.close()


def test_ones_own_notice_is_heard_once(here: PostgresStore, there: PostgresStore) -> None:
    watch, other = here.watch(), there.watch()
    here.notify()
    assert watch.wait(LONG) is True
    assert other.wait(LONG) is True  # by then it has come back to this process as well
    assert watch.wait(SOON) is False
    watch.close()
    other.close()


def test_tables_with_other_names_are_other_work(
    opened: Callable[..., PostgresStore], here: PostgresStore, postgres_url: str
) -> None:
    others = opened(f"{postgres_url}?table_prefix=bb_")
    others.migrate()
    same = opened(f"{postgres_url}?schema=public")
    watch = here.watch()
    others.notify()
    assert watch.wait(SOON) is False
    same.notify()
    assert watch.wait(LONG) is True
    watch.close()


# The caller's transaction.


def test_notice_comes_when_the_transaction_has_ended(here: PostgresStore, there: PostgresStore) -> None:
    watch = here.watch()
    with psycopg.connect(there.url) as connection:
        there.run(there.enqueue([new_job()]), connection)
        there.notify(connection)
        assert watch.wait(SOON) is False
        connection.commit()
        assert watch.wait(LONG) is True
        assert here.run(here.count(JobFilter())) == 1
    watch.close()


def test_in_the_same_process_too(here: PostgresStore) -> None:
    watch = here.watch()
    with psycopg.connect(here.url) as connection:
        here.run(here.enqueue([new_job()]), connection)
        here.notify(connection)
        assert watch.wait(SOON) is False
        connection.commit()
        assert watch.wait(LONG) is True
    watch.close()


def test_of_a_connection_that_commits_every_statement_at_once(here: PostgresStore, there: PostgresStore) -> None:
    watch = here.watch()
    with psycopg.connect(there.url, autocommit=True) as connection:
        there.notify(connection)
        assert watch.wait(LONG) is True
    watch.close()


def test_when_the_connection_is_closed_or_forgotten(here: PostgresStore, there: PostgresStore) -> None:
    watch = here.watch()
    connection = psycopg.connect(there.url)
    there.run(there.enqueue([new_job()]), connection)
    there.notify(connection)
    connection.commit()
    connection.close()
    assert watch.wait(LONG) is True
    watch.close()


def test_a_long_transaction_is_not_waited_for_for_ever(here: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier, "LONGEST_LOOK", 0.05)
    with psycopg.connect(here.url) as connection:
        here.run(here.enqueue([new_job()]), connection)
        here.notify(connection)
        assert here._notifier.is_busy
        soon(lambda: not here._notifier.is_busy)


def test_other_objects_mean_nothing(here: PostgresStore) -> None:
    here.notify(object())
    assert not here._notifier.is_busy


def test_nothing_is_sent_in_the_callers_transaction(here: PostgresStore) -> None:
    here.run(here.count(JobFilter()))
    with psycopg.connect(here.url) as connection, psycopg.connect(here.url, autocommit=True) as ears:
        ears.execute(f'LISTEN "{here._server.channel}"')
        here.run(here.enqueue([new_job()]), connection)
        here.notify(connection)
        connection.commit()
        (heard,) = ears.notifies(timeout=LONG, stop_after=1)
        assert heard.pid != connection.info.backend_pid


# Not too often, and nobody waits for it.


def test_many_notices_are_sent_as_few_and_the_last_one_is_among_them(here: PostgresStore) -> None:
    here.run(here.count(JobFilter()))
    with psycopg.connect(here.url, autocommit=True) as ears:
        ears.execute(f'LISTEN "{here._server.channel}"')
        began = monotonic()
        for _ in range(500):
            here.notify()
        sent = monotonic()
        here._notifier.finish()
        took = monotonic() - began
        heard = list(ears.notifies(timeout=SOON))
    assert sent - began < 0.5
    assert 1 <= len(heard) <= took / notifier.GAP + 2


def test_notice_costs_the_caller_little_while_the_database_says_nothing(
    opened: Callable[..., PostgresStore], postgres_url: str, proxy_to: Callable[[str], Proxy]
) -> None:
    proxy = proxy_to(postgres_url)
    store = opened(f"{proxy.url}?timeout=0.3")
    store.run(store.count(JobFilter()))
    proxy.hang()
    began = monotonic()
    for _ in range(100):
        store.notify()
    assert monotonic() - began < 0.2
    proxy.resume()


def test_the_thread_ends_and_comes_back(here: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier, "IDLE", 0.02)
    watch = here.watch()
    for _ in range(3):
        here.notify()
        assert watch.wait(LONG) is True
        soon(lambda: here._notifier._thread is None and not here._notifier.is_busy)
    watch.close()


def test_a_process_that_ends_at_once_has_given_notice(here: PostgresStore) -> None:
    code = (
        "import sys\n"
        "from backburner.stores.open import open_store\n"
        "from backburner.testing.contract.driving import new_job\n"
        "store = open_store(sys.argv[1])\n"
        "store.run(store.enqueue([new_job()]))\n"
        "store.notify()\n"
    )
    watch = here.watch()
    subprocess.run([sys.executable, "-W", "error", "-c", code, here.url], check=True, cwd=ROOT)
    assert watch.wait(SOON) is True
    watch.close()


# Connections that are lost.


def test_who_lost_the_connection_listens_again(
    here: PostgresStore, there: PostgresStore, eyes: psycopg.Connection[Any]
) -> None:
    watch = here.watch()
    (first,) = listeners(eyes)
    eyes.execute("SELECT pg_terminate_backend(%s)", [first])
    assert watch.wait(LONG) is True, "something may have been said meanwhile"
    soon(lambda: listeners(eyes) not in ([], [first]))
    assert watch.wait(SOON) is False
    there.notify()
    assert watch.wait(LONG) is True
    watch.close()


def test_a_restart_of_the_server_is_survived(private_postgres: PostgresServer) -> None:
    with private_postgres.fresh_database() as url:
        here, there = (open_store(url) for _ in range(2))
        here.migrate()
        watch = here.watch()
        private_postgres.kill()
        private_postgres.start()
        assert watch.wait(LONG) is True
        there.notify()
        assert watch.wait(LONG) is True
        watch.close()
        here.close()
        there.close()


def test_a_watch_may_be_opened_while_there_is_no_server(private_postgres: PostgresServer) -> None:
    with private_postgres.fresh_database() as url:
        store = open_store(url)
        private_postgres.stop()
        watch = store.watch()
        assert watch.wait(SOON) is False
        private_postgres.start()
        assert watch.wait(LONG) is True, "it listens now, and cannot know what was said before"
        watch.close()
        store.close()


# Where nothing can be heard.


def test_without_a_connection_to_spare_a_watch_looks_again_and_again() -> None:
    settings = {"max_connections": "5", "superuser_reserved_connections": "0", "fsync": "off"}
    with PostgresServer(settings) as server, server.fresh_database() as url:
        store = open_store(url)
        store.migrate()
        holders = [psycopg.connect(url) for _ in range(4)]
        watch = store.watch()
        began = monotonic()
        assert watch.wait(LONG) is True
        assert monotonic() - began < 2
        for holder in holders:
            holder.close()
        watch.close()
        store.close()


def test_the_looks_become_rarer_until_there_is_work(here: PostgresStore) -> None:
    watch = here.watch()
    listener = here._ear._listener
    assert listener is not None
    listener.must_poll = True
    intervals = [watch._next_interval() for _ in range(12)]
    watch._looked_at = monotonic()
    intervals = [watch._next_interval() for _ in range(12)]
    assert intervals[0] < 0.05
    assert 0.3 < intervals[-1] <= polling.LONGEST_INTERVAL * 1.25
    here._ear.note_work()
    assert watch._next_interval() < 0.05
    watch.close()


# How soon.


ENQUEUEING = """
import sys
from time import monotonic
from backburner.stores.open import open_store
from backburner.testing.contract.driving import new_job
store = open_store(sys.argv[1])
print("ready", flush=True)
for _ in sys.stdin:
    began = monotonic()
    store.run(store.enqueue([new_job()]))
    store.notify()
    print(began, flush=True)
"""


def test_new_work_is_heard_of_within_milliseconds(here: PostgresStore) -> None:
    watch = here.watch()
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", ENQUEUEING, here.url]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=pipe, stdout=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        delays = []
        pause = threading.Event()
        for _ in range(30):
            process.stdin.write("\n")
            process.stdin.flush()
            assert watch.wait(LONG) is True
            heard = monotonic()
            delays.append(heard - float(process.stdout.readline()))
            pause.wait(notifier.GAP)  # who enqueues a little every now and then, not all the time
        process.stdin.close()
    watch.close()
    assert statistics.median(delays) < 0.02
