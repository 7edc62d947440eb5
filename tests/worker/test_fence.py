"""A worker that cannot say that it is alive stops in time: others may have its jobs."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backburner import Backburner, State, StoreUnavailable, job
from backburner.core.telemetry import JobReleased, JobRescued, LeasesLost, recorded
from backburner.core.times import system_now
from backburner.worker import lease as lease_module
from backburner.worker.lease import NEVER, Lease
from backburner.worker.upkeep import rounds
from tests.worker.faulty import Faulty
from tests.worker.isolated import sleep
from tests.worker.jobs import note, trace
from tests.worker.processes import pipe
from tests.worker.test_rounds import Setting, claimer_of

SOON = 30.0
LEASE, HEARTBEAT = 2.0, 0.3

runs = threading.Event()
ended: list[tuple[float, str]] = []


@pytest.fixture(autouse=True)
def _nothing_runs() -> None:
    runs.clear()
    ended.clear()
    trace.clear()


@job
def spin() -> None:
    """Run until something is raised; the first time only."""
    if runs.is_set():
        return
    runs.set()
    try:
        deadline = time.monotonic() + SOON
        while time.monotonic() < deadline:
            threading.Event().wait(0.01)
    except BaseException as error:
        ended.append((time.monotonic(), type(error).__name__))
        raise


@job
async def wait_async() -> None:
    """Wait until something is raised; the first time only."""
    if runs.is_set():
        return
    runs.set()
    try:
        await asyncio.sleep(SOON)
    except BaseException as error:
        ended.append((time.monotonic(), type(error).__name__))
        raise


class Outage:
    """Makes a store unusable, and usable again."""

    def __init__(self, app: Backburner, monkeypatch: pytest.MonkeyPatch) -> None:
        self._run = app.store.run
        self.is_on = False
        self.last_answer = 0.0
        monkeypatch.setattr(app.store, "run", self.run)

    def run(self, op: Any, connection: object | None = None) -> Any:
        if self.is_on:
            raise StoreUnavailable("away")
        self.last_answer = time.monotonic()
        return self._run(op, connection)


@pytest.fixture(params=["memory", "sqlite"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backburner]:
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/jobs.db"
    with Backburner(url, allow=["tests"], lease=LEASE, heartbeat=HEARTBEAT) as app:
        yield app


@contextmanager
def working(app: Backburner, **options: Any) -> Iterator[None]:
    worker = app.worker(sleep_delay=0.05, **options)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(SOON)
        assert not thread.is_alive()


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not is_so():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize("function", [spin, wait_async])
def test_a_running_job_is_interrupted_when_the_lease_ends_and_not_before(
    app: Backburner, function: Any, concurrency: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage = Outage(app, monkeypatch)
    job = app.delay(function)()
    with recorded(app.telemetry) as records, working(app, concurrency=concurrency):
        assert runs.wait(SOON)
        outage.is_on = True
        wait_until(lambda: bool(ended))
        last_answer = outage.last_answer
        outage.is_on = False
        wait_until(lambda: app.jobs.get(job.id).state is State.SUCCEEDED)
    at, name = ended[0]
    assert name in ("JobInterrupted", "CancelledError")
    assert LEASE - 2 * HEARTBEAT < at - last_answer < LEASE + 1.0
    assert any(isinstance(record, JobReleased) for record in records)
    assert not any(isinstance(record, LeasesLost) for record in records)


def test_one_in_a_process_of_its_own_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, started = tmp_path / "written", pipe(tmp_path, "started")
    url = f"sqlite:///{tmp_path}/jobs.db"
    with Backburner(url, allow=["tests"], lease=LEASE, heartbeat=HEARTBEAT) as app:
        outage = Outage(app, monkeypatch)
        app.delay(sleep)(started, str(path))
        with working(app):
            Path(started).read_text()
            outage.is_on = True
            wait_until(path.exists)
        outage.is_on = False
    assert path.read_text() == "JobInterrupted False\n"


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_job_is_started_when_the_lease_is_about_to_end(
    app: Backburner, concurrency: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that were claimed go back; each is performed once, after the store is there again."""
    outage = Outage(app, monkeypatch)
    begins: list[float] = []

    def note_beginning(worker: Any, job: Any) -> None:
        begins.append(time.monotonic())
        if len(begins) == 100:
            outage.is_on = True
        if outage.is_on:
            threading.Event().wait(0.15)

    app.before("perform")(note_beginning)
    with app.bulk():
        for number in range(300):
            app.delay(note)(str(number))
    with recorded(app.telemetry) as records, working(app, concurrency=concurrency):
        wait_until(lambda: outage.is_on)
        wait_until(lambda: time.monotonic() > outage.last_answer + LEASE * 1.5)
        began = begins[100:]
        assert began[-1] - outage.last_answer < LEASE * 0.8
        assert 2 <= len(began) < 60
        outage.is_on = False
        wait_until(lambda: app.jobs.count(state="succeeded") == 300)
    assert sorted(trace, key=int) == [str(number) for number in range(300)]
    assert not any(isinstance(record, LeasesLost) for record in records)


def test_a_lease_counts_from_the_moment_when_the_store_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(lease_module, "monotonic", lambda: clock.now)
    lease = Lease(timedelta(seconds=30), timedelta(seconds=10))
    assert (lease.starts_until, lease.ends_at, lease.may_start) == (NEVER, NEVER, True)
    lease.renew(90.0)
    assert (lease.starts_until, lease.ends_at) == (110.0, 120.0)
    clock.now = 110.0
    assert lease.may_start
    clock.now = 110.1
    assert not lease.may_start
    lease.renew(105.0)
    assert lease.may_start
    lease.forget()
    assert lease.ends_at == NEVER


@pytest.mark.parametrize(("length", "heartbeat"), [(30, 10), (30, 25), (30, 1), (2, 0.5)])
def test_a_heartbeat_that_comes_in_time_keeps_no_job_from_being_started(length: float, heartbeat: float) -> None:
    lease = Lease(timedelta(seconds=length), timedelta(seconds=heartbeat))
    lease.renew(0.0)
    assert length * 0.6 <= lease.starts_until < lease.ends_at == length
    assert lease.starts_until > heartbeat


def test_a_claim_that_registers_and_each_beat_renew_the_lease(app: Backburner) -> None:
    claimer = claimer_of(app, "ann")
    assert claimer.lease.ends_at == NEVER
    claimer.claim(1)
    registered = claimer.lease.ends_at
    assert registered < NEVER
    claimer.check_in(app.settings.lease, beats=False)
    assert claimer.lease.ends_at == registered
    claimer.check_in(app.settings.lease, beats=True)
    beaten = claimer.lease.ends_at
    assert beaten > registered
    claimer.renew()
    assert claimer.lease.ends_at > beaten
    claimer.retire()
    assert claimer.lease.ends_at == NEVER


def test_who_was_struck_off_has_no_lease(app: Backburner) -> None:
    claimer = claimer_of(app, "ann")
    claimer.claim(1)
    app.store.run(app.store.retire(claimer.number or 0))
    claimer.renew()
    assert (claimer.number, claimer.lease.ends_at) == (None, NEVER)
    claimer.claim(1)
    assert claimer.lease.ends_at < NEVER


@pytest.fixture
def setting(app: Backburner, monkeypatch: pytest.MonkeyPatch) -> Setting:
    clock = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(rounds, "time", SimpleNamespace(monotonic=lambda: clock.seconds))
    return Setting(app, clock=clock)


def test_who_was_cut_off_rescues_nobody_before_a_lease_has_passed(
    app: Backburner, setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the store was away, the others could not beat either."""
    faulty = Faulty(app.store, monkeypatch)
    job = app.delay(note)("x")
    claimer_of(app, "bob").claim(1)
    setting.rounds.make()
    clock = SimpleNamespace(ahead=0.0)
    monkeypatch.setattr(app.store, "_clock", lambda: system_now() + timedelta(seconds=clock.ahead))

    def pass_time(seconds: float) -> None:
        setting.clock.seconds += seconds
        clock.ahead += seconds

    faulty.lose_request("check_in", 3)
    for _ in range(3):
        pass_time(LEASE / 2)
        with pytest.raises(StoreUnavailable):
            setting.rounds.make()
    with recorded(app.telemetry) as records:
        states = []
        for _ in range(8):
            pass_time(LEASE / 4)
            setting.rounds.make()
            states.append(app.jobs.get(job.id).state)
    assert states == [State.RUNNING] * 4 + [State.QUEUED] * 4
    assert app.jobs.get(job.id).state is State.QUEUED
    assert len([record for record in records if isinstance(record, JobRescued)]) == 1


def test_who_missed_one_answer_rescues_at_once(
    app: Backburner, setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty = Faulty(app.store, monkeypatch)
    job = app.delay(note)("x")
    claimer_of(app, "bob").claim(1)
    later = app.store.now() + timedelta(seconds=LEASE + 1)
    monkeypatch.setattr(app.store, "_clock", lambda: later)
    faulty.lose_request("check_in")
    setting.clock.seconds += HEARTBEAT
    with pytest.raises(StoreUnavailable):
        setting.rounds.make()
    setting.clock.seconds += HEARTBEAT
    setting.rounds.make()
    assert app.jobs.get(job.id).state is State.QUEUED
