"""A database that is away while jobs run: workers perform what they hold, keep how it ended, and lose nothing."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from backburner import Backburner, State, bulk, job
from backburner.app import use
from backburner.core.errors import StoreUnavailable
from backburner.core.telemetry import (
    JobRescued,
    JobSucceeded,
    LeasesLost,
    Record,
    StoreRecovered,
    StoreTroubled,
    Telemetry,
    recorded,
)
from backburner.stores.sql.sqlite.store import SQLiteStore
from backburner.stores.watching import LocalWatch, Watches
from backburner.worker import trouble
from backburner.worker.trouble import CHECKING_IN, CLAIMING, SETTLING, Outage, Trouble
from tests.worker.jobs import note, trace

SOON = 45.0
JOBS = 400

away = threading.Event()
hold = threading.Event()
make_away: Callable[[], object] = lambda: None  # noqa: E731  # replaced by each test


@pytest.fixture(autouse=True)
def _nothing_is_away() -> Iterator[None]:
    trace.clear()
    away.clear()
    hold.clear()
    yield
    hold.set()


@job
def go_away() -> None:
    """Let the database go away, from inside of a job."""
    trace.append("going")
    make_away()
    trace.append("gone")
    away.set()


@job
def wait_until_released() -> None:
    """Run for as long as a test wants."""
    trace.append("begin")
    hold.wait(SOON)
    trace.append("end")


class Database:
    """A database that a test can take away and bring back."""

    def __init__(self, url: str, take_away: Callable[[], object], bring_back: Callable[[], object]) -> None:
        self.url = url
        self.take_away = take_away
        self.bring_back = bring_back


@contextmanager
def locked_file(tmp_path: Path) -> Iterator[Database]:
    """An SQLite file that another program locks."""
    path = tmp_path / "jobs.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        yield Database(f"sqlite:///{path}", lambda: other.execute("BEGIN EXCLUSIVE"), lambda: other.execute("ROLLBACK"))


@contextmanager
def killed_server(server: Any) -> Iterator[Database]:
    """A server that is killed and started again."""
    with server.fresh_database() as url:
        yield Database(url, server.kill, server.start)


@pytest.fixture(params=["sqlite", "private_postgres", "private_mysql"])
def database(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setitem(SQLiteStore.__init__.__kwdefaults__, "patience", 0.1)
    with ExitStack() as resources:
        if request.param == "sqlite":
            database = resources.enter_context(locked_file(tmp_path))
        else:
            database = resources.enter_context(killed_server(request.getfixturevalue(request.param)))
        monkeypatch.setitem(globals(), "make_away", database.take_away)
        yield database


@contextmanager
def app_at(database: Database, **settings: Any) -> Iterator[Backburner]:
    with Backburner(database.url, allow=["tests"], sleep_delay=0.2, **settings) as app, use(app):
        app.migrate()
        yield app


@contextmanager
def working(app: Backburner, number: int = 1, **options: Any) -> Iterator[None]:
    workers = [app.worker(**options) for _ in range(number)]
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        hold.set()
        for worker in workers:
            worker.stop()
        for thread in threads:
            thread.join(SOON)
            assert not thread.is_alive()


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not is_so():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


def count(records: list[Record], kind: type[Record]) -> int:
    return sum(isinstance(record, kind) for record in list(records))


@pytest.mark.parametrize(
    ("concurrency", "mark"),
    [
        (1, "gone"),
        (3, "going"),  # while one thread takes the database away, the others may perform all that is held
    ],
)
def test_a_worker_performs_what_it_holds_and_settles_it_when_the_database_is_back(
    database: Database, concurrency: int, mark: str
) -> None:
    with app_at(database) as app, recorded(app.telemetry) as records:
        with bulk():
            for number in range(JOBS):
                note.delay(str(number))
                if number == JOBS // 2:
                    go_away.delay()
        with working(app, concurrency=concurrency):
            assert away.wait(SOON)
            wait_until(lambda: count(records, StoreTroubled) > 0)
            while_away = len(trace) - trace.index(mark) - 1
            database.bring_back()
            wait_until(lambda: count(records, StoreRecovered) > 0)
            wait_until(lambda: count(records, JobSucceeded) == JOBS + 1)
        assert while_away > 0
        assert sorted(trace) == sorted([*map(str, range(JOBS)), "going", "gone"])
        assert (app.jobs.count(), app.jobs.count(state="succeeded")) == (0, JOBS + 1)
        assert (count(records, StoreTroubled), count(records, StoreRecovered)) == (1, 1)
        assert count(records, LeasesLost) == 0


@pytest.mark.parametrize("concurrency", [1, 3])
def test_what_runs_goes_on_and_its_end_is_kept(database: Database, concurrency: int) -> None:
    with app_at(database, heartbeat=0.5) as app, recorded(app.telemetry) as records:
        job = wait_until_released.delay()
        with working(app, concurrency=concurrency):
            wait_until(lambda: trace == ["begin"])
            database.take_away()
            wait_until(lambda: count(records, StoreTroubled) > 0)
            hold.set()
            wait_until(lambda: count(records, JobSucceeded) > 0)
            database.bring_back()
            wait_until(lambda: count(records, StoreRecovered) > 0)
            wait_until(lambda: app.jobs.get(job.id).state is State.SUCCEEDED)
        assert trace == ["begin", "end"]
        assert count(records, LeasesLost) == 0


def test_after_an_outage_longer_than_a_lease_nobody_is_rescued_who_was_only_cut_off(database: Database) -> None:
    """What they had done meanwhile still counts."""
    with app_at(database, lease=3.0, heartbeat=0.5) as app, recorded(app.telemetry) as records:
        jobs = [wait_until_released.delay() for _ in range(3)]
        with working(app, number=3):
            wait_until(lambda: trace == ["begin"] * 3)
            database.take_away()
            wait_until(lambda: count(records, StoreTroubled) > 0)
            hold.set()
            wait_until(lambda: count(records, JobSucceeded) == 3)
            began = time.monotonic()
            wait_until(lambda: time.monotonic() > began + 4.0)
            database.bring_back()
            wait_until(lambda: all(app.jobs.get(job.id).state is State.SUCCEEDED for job in jobs))
        assert trace == ["begin"] * 3 + ["end"] * 3
        assert (count(records, JobRescued), count(records, LeasesLost)) == (0, 0)


def test_an_outage_is_announced_once_however_many_notice() -> None:
    telemetry = Telemetry()
    error = StoreUnavailable()
    with recorded(telemetry) as records:
        outage = Outage("ann", telemetry)
        outage.end(CHECKING_IN)
        outage.begin(CLAIMING, error)
        outage.begin(CHECKING_IN, error)
        outage.begin("pruning", error)
        outage.begin(CLAIMING, error)
        assert records == [StoreTroubled("ann", CLAIMING, error)]
        outage.end(CLAIMING)
        assert len(records) == 1
        outage.end(CHECKING_IN)  # who prunes seldom is not waited for
        assert records[1:] == [StoreRecovered("ann")]
        outage.end("pruning")
        outage.begin(SETTLING, error)
        outage.end(CHECKING_IN)
        assert len(records) == 3
        outage.end(SETTLING)
        assert records[2:] == [StoreTroubled("ann", SETTLING, error), StoreRecovered("ann")]


def test_fifty_workers_do_not_come_back_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[list[float]] = []

    class Clockless(LocalWatch):
        def wait(self, timeout: float) -> bool:
            waits[-1].append(timeout)
            return False

    for _ in range(50):
        waits.append([])
        own = Trouble(Outage("w", Telemetry()))
        watch = Clockless(Watches())
        for _ in range(20):
            own.begin(CLAIMING, StoreUnavailable())
            own.wait(watch)
    seconds = sorted(sum(each) for each in waits)
    assert all(each[0] <= trouble.FIRST_WAIT for each in waits), "one that only lost a connection is back at once"
    assert all(max(each) <= trouble.LONGEST_WAIT for each in waits)
    at = sorted(sum(each[:8]) for each in waits)
    assert at[-1] - at[0] > 1.0
    assert seconds[-1] - seconds[0] > 3.0
    assert max(sum(start <= moment < start + 0.1 for moment in at) for start in at) < 15
