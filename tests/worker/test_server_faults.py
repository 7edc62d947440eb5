"""A worker goes on when its database server dies, comes back, or loses a connection, and no job is lost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from backburner import Backburner, bulk, job
from backburner.app import use
from backburner.core.telemetry import JobSucceeded, LeasesLost, Record, StoreRecovered, StoreTroubled
from backburner.worker.worker import Worker
from tests.servers.finding import PGBOUNCER
from tests.servers.fixtures import skip_if_missing
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import Postgres, PostgresServer
from tests.worker.jobs import note, trace

SOON = 45.0
JOBS = 400


@pytest.fixture(params=["private_postgres", "private_mysql"])
def server(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture
def app(server: Any) -> Iterator[Backburner]:
    trace.clear()
    with server.fresh_database() as url, Backburner(url, allow=["tests"], sleep_delay=0.2) as app, use(app):
        app.migrate()
        yield app


class Events:
    """What a worker told, as things to wait for."""

    def __init__(self, app: Backburner) -> None:
        self._changed = threading.Condition()
        self._records: list[Record] = []
        app.telemetry.subscribe(self._hear)

    def _hear(self, record: Record) -> None:
        with self._changed:
            self._records.append(record)
            self._changed.notify_all()

    def count(self, kind: type[Record], **fields: object) -> int:
        """Return how many records there were of a kind and with these fields."""
        return sum(
            isinstance(record, kind) and all(getattr(record, name) == value for name, value in fields.items())
            for record in list(self._records)
        )

    def wait_for(self, kind: type[Record], times: int = 1, **fields: object) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.count(kind, **fields) >= times, SOON), (
                kind,
                Counter(map(type, self._records)),
            )


@contextmanager
def working(app: Backburner) -> Iterator[Worker]:
    """Run a worker within the block; it is stopped at its end."""
    worker = app.worker()
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(SOON)
        assert not thread.is_alive()


def enqueue(numbers: range) -> None:
    with bulk():
        for number in numbers:
            note.delay(str(number))


def check_all_done(app: Backburner, performed_at_least: int) -> None:
    assert (app.jobs.count(), app.jobs.count(state="succeeded")) == (0, performed_at_least)
    assert set(trace) == {str(number) for number in range(performed_at_least)}


def test_a_server_that_is_killed_and_comes_back(app: Backburner, server: Any) -> None:
    events = Events(app)
    enqueue(range(JOBS))
    with working(app):
        events.wait_for(JobSucceeded, JOBS // 2)
        server.kill()
        events.wait_for(StoreTroubled)
        server.start()
        events.wait_for(StoreRecovered)
        enqueue(range(JOBS, JOBS + 10))
        events.wait_for(JobSucceeded, JOBS + 10)
    assert (events.count(StoreTroubled), events.count(StoreRecovered)) == (1, 1)
    check_all_done(app, JOBS + 10)


def test_a_server_that_is_restarted_while_the_worker_is_idle(app: Backburner, server: Any) -> None:
    events = Events(app)
    with working(app):
        enqueue(range(1))
        events.wait_for(JobSucceeded)
        server.stop()
        server.start()
        enqueue(range(1, 2))
        events.wait_for(JobSucceeded, 2)
    check_all_done(app, 2)


def test_connections_that_are_cut_again_and_again(app: Backburner, proxy_to: Callable[[str], Any], server: Any) -> None:
    """Whatever was on its way is repeated; a job may be performed twice, but it is finished once, and none is stuck."""
    with server.fresh_database() as url:
        proxy = proxy_to(url)
        with Backburner(proxy.url, allow=["tests"], sleep_delay=0.2) as cut_app, use(cut_app):
            cut_app.migrate()
            events = Events(cut_app)
            enqueue(range(JOBS))
            with working(cut_app):
                for round_ in range(1, 5):
                    events.wait_for(JobSucceeded, round_ * JOBS // 5)
                    proxy.cut()
                events.wait_for(JobSucceeded, JOBS)
            check_all_done(cut_app, JOBS)
            assert events.count(LeasesLost) == 0


def test_a_connection_that_is_lost_while_the_worker_stops(
    app: Backburner, proxy_to: Callable[[str], Any], server: Any
) -> None:
    """What it has performed is settled, and what it has not is there for others at once."""
    with server.fresh_database() as url:
        proxy = proxy_to(url)
        with Backburner(proxy.url, allow=["tests"]) as cut_app, use(cut_app):
            cut_app.migrate()
            worker = cut_app.worker()

            def stop_and_cut(record: Record) -> None:
                if isinstance(record, JobSucceeded) and len(trace) == 1:
                    worker.stop()
                    proxy.cut()

            cut_app.telemetry.subscribe(stop_and_cut)
            enqueue(range(10))
            worker.run()
            assert cut_app.jobs.count(state="running") == 0
            assert cut_app.jobs.count(state="succeeded") == len(trace)
            assert cut_app.jobs.count() == 10 - len(trace)


# PostgreSQL alone.


@job
def pass_on(text: str) -> None:
    """Enqueue a job."""
    note.delay(text)


@contextmanager
def app_at(url: str) -> Iterator[Backburner]:
    trace.clear()
    with Backburner(url, allow=["tests"], sleep_delay=0.2) as app, use(app):
        app.migrate()
        yield app


def test_connections_that_the_server_ends_again_and_again(postgres_url: str, postgres_server: Postgres) -> None:
    with app_at(postgres_url) as app:
        events = Events(app)
        enqueue(range(JOBS))
        with working(app):
            for round_ in range(1, 5):
                events.wait_for(JobSucceeded, round_ * JOBS // 5)
                end_connections(postgres_server, postgres_url)
            events.wait_for(JobSucceeded, JOBS)
        check_all_done(app, JOBS)
        assert events.count(LeasesLost) == 0


def end_connections(server: Postgres, url: str) -> None:
    text = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    server.execute_as_admin(text, [url.rpartition("/")[2]])


@pytest.mark.parametrize("lose", ["lose_request", "lose_reply"])
def test_claims_that_are_lost_are_repeated_and_nothing_is_done_twice(
    postgres_url: str, proxy_to: Callable[[str], Any], lose: str
) -> None:
    proxy = proxy_to(postgres_url)
    with app_at(proxy.url) as app:
        events = Events(app)
        enqueue(range(JOBS))
        losses = [getattr(proxy, lose)(b"SET state = 'running'") for _ in range(5)]
        with working(app):
            for loss in losses:
                loss.wait(SOON)
            events.wait_for(JobSucceeded, JOBS)
        check_all_done(app, JOBS)
        assert len(trace) == JOBS
        assert events.count(LeasesLost) == 0


def test_a_server_that_takes_no_changes_for_a_while(private_postgres: PostgresServer) -> None:
    with private_postgres.fresh_database() as url, app_at(url) as app:
        events = Events(app)
        enqueue(range(10))
        with working(app):
            events.wait_for(JobSucceeded, 10)
            with bulk():
                for number in range(10, 20):
                    note.options(run_at=timedelta(seconds=1.5)).delay(str(number))
            make_read_only(private_postgres, "on")
            events.wait_for(StoreTroubled)
            make_read_only(private_postgres, "off")
            events.wait_for(StoreRecovered)
            enqueue(range(20, 30))
            events.wait_for(JobSucceeded, 30)
        check_all_done(app, 30)


def make_read_only(server: PostgresServer, value: str) -> None:
    server.execute_as_admin(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
    server.execute_as_admin("SELECT pg_reload_conf()")


@pytest.mark.parametrize("concurrency", [1, 4])
def test_one_connection_is_enough_for_jobs_that_enqueue(postgres_url: str, concurrency: int) -> None:
    with app_at(f"{postgres_url}?pool_size=1&timeout=3") as app:
        with bulk():
            for number in range(JOBS):
                pass_on.delay(str(number))
        assert app.worker(concurrency=concurrency).work_off(3 * JOBS) == (2 * JOBS, 0)
        assert len(trace) == JOBS


def test_a_worker_behind_a_pooler(postgres_server: Postgres, postgres_url: str) -> None:
    """Which is restarted meanwhile."""
    skip_if_missing(PGBOUNCER)
    with PgBouncer(postgres_server) as bouncer, app_at(bouncer.url_of(postgres_url)) as app:
        events = Events(app)
        enqueue(range(JOBS))
        with working(app):
            events.wait_for(JobSucceeded, JOBS // 2)
            bouncer.kill()
            bouncer.start()
            events.wait_for(JobSucceeded, JOBS)
            enqueue(range(JOBS, JOBS + 10))
            events.wait_for(JobSucceeded, JOBS + 10)
        check_all_done(app, JOBS + 10)
