"""Jobs that run and are cancelled, or lost: how soon they learn of it, and what asking costs."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import pytest

from backburner import Backburner, Job, JobInterrupted, JobTimeout, State, StoreUnavailable, current_job, job
from backburner.core.lifecycle import Move
from backburner.core.ports import Settlement, WorkerInfo, lease_of
from backburner.core.telemetry import JobCancelledRecord, LeasesLost, Record
from backburner.worker import cancels
from backburner.worker.timeouts import SignalAlarm, ThreadAlarm
from backburner.worker.watchdog import Watchdog
from backburner.worker.worker import Worker
from tests.worker.jobs import note, trace

SOON = 30.0


class Stage:
    """Where a job says that it runs, and how it ended."""

    def __init__(self) -> None:
        self.runs = threading.Event()
        self.may_end = threading.Event()
        self.ended: list[Any] = []


stage = Stage()


@pytest.fixture(autouse=True)
def _new_stage() -> Iterator[None]:
    global stage
    stage = Stage()
    trace.clear()
    yield
    stage.may_end.set()


@job
async def wait_async() -> None:
    stage.runs.set()
    try:
        await asyncio.sleep(SOON)
    except BaseException as error:
        stage.ended.append(type(error))
        raise


@job
async def wait_async_and_return() -> None:
    stage.runs.set()
    try:
        await asyncio.sleep(SOON)
    except asyncio.CancelledError:
        stage.ended.append(current_job().is_cancelled)


@job
def look_often() -> None:
    stage.runs.set()
    while not current_job().is_cancelled:
        threading.Event().wait(0.001)
    stage.ended.append("seen")


@job
def never_look() -> None:
    stage.runs.set()
    stage.may_end.wait(SOON)
    stage.ended.append("not disturbed")


@job
def be_interrupted() -> None:
    stage.runs.set()
    try:
        deadline = time.monotonic() + SOON
        while time.monotonic() < deadline:
            threading.Event().wait(0.01)
    except BaseException as error:
        stage.ended.append(type(error))
        raise


class Questions:
    """Counts what a worker asks about its running jobs."""

    def __init__(self, app: Backburner, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[float, Any]] = []
        original = app.store.standing

        def standing(held: Any) -> Any:
            self.asked.append((time.monotonic(), held))
            return original(held)

        monkeypatch.setattr(app.store, "standing", standing)


@contextmanager
def working(app: Backburner, **options: Any) -> Iterator[Worker]:
    worker = app.worker(sleep_delay=0.05, **options)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        stage.may_end.set()
        thread.join(SOON)
        assert not thread.is_alive()


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not is_so():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


def seconds_until_cancelled(app: Backburner, job: Job[Any]) -> float:
    assert stage.runs.wait(SOON)
    began = time.monotonic()
    app.jobs.cancel(job.id)
    wait_until(lambda: app.jobs.get(job.id).state is State.CANCELLED)
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("function", "ended"), [(wait_async, [asyncio.CancelledError]), (wait_async_and_return, [True])]
)
def test_an_async_job_is_cancelled_at_once(app: Backburner, function: Any, ended: list[Any]) -> None:
    job = app.delay(function)()
    with working(app, concurrency=3):
        assert seconds_until_cancelled(app, job) < 2.0
    assert stage.ended == ended
    after = app.jobs.get(job.id)
    assert (after.attempts, (after.last_error or "").splitlines()[0]) == (
        0,
        "JobCancelled: cancelled while it was running",
    )


@pytest.mark.parametrize("concurrency", [1, 3])
def test_another_job_learns_of_it_when_it_asks(app: Backburner, concurrency: int) -> None:
    job = app.delay(look_often)()
    with working(app, concurrency=concurrency):
        assert seconds_until_cancelled(app, job) < 2.0
    assert stage.ended == ["seen"]


@pytest.mark.parametrize("fixture", ["postgres_url", "mysql_url"])
def test_on_a_server_too(request: pytest.FixtureRequest, fixture: str) -> None:
    with Backburner(request.getfixturevalue(fixture), allow=["tests"]) as app:
        app.migrate()
        job = app.delay(wait_async)()
        with working(app, concurrency=3):
            assert seconds_until_cancelled(app, job) < 2.0


@pytest.mark.parametrize("concurrency", [1, 3])
def test_one_that_never_asks_is_not_disturbed(
    app: Backburner, concurrency: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = Questions(app, monkeypatch)
    job = app.delay(never_look)()
    with working(app, concurrency=concurrency):
        assert stage.runs.wait(SOON)
        app.jobs.cancel(job.id)
        asked = len(questions.asked)
        wait_until(lambda: len(questions.asked) > asked + 1)
        assert app.jobs.get(job.id).state is State.RUNNING
    assert stage.ended == ["not disturbed"]
    assert app.jobs.get(job.id).state is State.SUCCEEDED


def test_the_other_jobs_go_on(app: Backburner) -> None:
    running, other = app.delay(wait_async)(), app.delay(never_look)()
    with working(app, concurrency=3):
        assert seconds_until_cancelled(app, running) < 2.0
        assert app.jobs.get(other.id).state is State.RUNNING
    assert app.jobs.get(other.id).state is State.SUCCEEDED


@pytest.mark.parametrize("concurrency", [1, 3])
def test_however_often_a_job_asks_the_store_is_asked_once_a_second(
    app: Backburner, concurrency: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = Questions(app, monkeypatch)
    job = app.delay(look_often)()
    with working(app, concurrency=concurrency):
        assert stage.runs.wait(SOON)
        wait_until(lambda: len(questions.asked) > 4)
        app.jobs.cancel(job.id)
        wait_until(lambda: stage.ended == ["seen"])
    first, *_, last = [at for at, _ in questions.asked]
    # Once for the job that had never been asked about, and then every second.
    assert last - first > 0.8 * (len(questions.asked) - 3) * cancels.LOOK_EVERY


def test_one_question_is_enough_for_all_jobs(app: Backburner, monkeypatch: pytest.MonkeyPatch) -> None:
    questions = Questions(app, monkeypatch)
    jobs = [app.delay(wait_async)() for _ in range(4)]
    with working(app, concurrency=4, grace=0.1):
        wait_until(lambda: len(questions.asked) >= 2)
    assert {job_id for job_id, _ in questions.asked[-1][1]} == {job.id for job in jobs}


def test_while_nothing_runs_for_long_nothing_is_asked(app: Backburner, monkeypatch: pytest.MonkeyPatch) -> None:
    questions = Questions(app, monkeypatch)
    looks: list[float] = []
    look = cancels.Cancels.look
    monkeypatch.setattr(cancels.Cancels, "look", lambda self: looks.append(time.monotonic()) or look(self))
    with working(app):
        for number in range(20):
            app.delay(note)(str(number))
        wait_until(lambda: len(trace) == 20)
        wait_until(lambda: len(looks) == 1)
        app.delay(note)("last")
        wait_until(lambda: len(trace) == 21)
    assert questions.asked == []


def test_a_store_that_cannot_be_used_knows_nothing_new(app: Backburner, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the job goes on."""

    def refuse(held: Any) -> Any:
        raise StoreUnavailable
        yield

    original = app.store.standing
    monkeypatch.setattr(app.store, "standing", refuse)
    job = app.delay(look_often)()
    with working(app):
        assert stage.runs.wait(SOON)
        app.jobs.cancel(job.id)
        monkeypatch.setattr(app.store, "standing", original)
        wait_until(lambda: app.jobs.get(job.id).state is State.CANCELLED)
    assert stage.ended == ["seen"]


def lose(app: Backburner, job: Job[Any]) -> None:
    """Let others have a job that runs."""
    running = app.jobs.get(job.id)
    app.store.run(app.store.settle([Settlement(job.id, running.lease or 0, Move.RELEASE)]))
    other = app.store.run(app.store.register(WorkerInfo("somebody else", "host", 1, (), 1)))
    app.store.run(app.store.claim_one(job.id, lease_of(other, 1), "somebody else"))


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize("function", [wait_async, be_interrupted])
def test_a_job_that_is_lost_is_interrupted(app: Backburner, function: Any, concurrency: int) -> None:
    lost: list[Record] = []
    heard = threading.Event()

    def hear(record: Record) -> None:
        if isinstance(record, LeasesLost):
            lost.append(record)
            heard.set()

    app.telemetry.subscribe(hear)
    job = app.delay(function)()
    with working(app, concurrency=concurrency):
        assert stage.runs.wait(SOON)
        lose(app, job)
        began = time.monotonic()
        assert heard.wait(SOON)
        assert time.monotonic() - began < 2.0
        app.delay(note)("the worker goes on")
        wait_until(lambda: trace == ["the worker goes on"])
    assert len(stage.ended) == 1
    assert stage.ended[0] in (JobInterrupted, asyncio.CancelledError)
    after = app.jobs.get(job.id)
    assert (after.state, after.locked_by) == (State.RUNNING, "somebody else")


@pytest.mark.parametrize("kind", ["signal", "thread"])
def test_what_is_meant_for_one_job_does_not_reach_the_next(kind: str) -> None:
    with ExitStack() as resources:
        alarm: SignalAlarm | ThreadAlarm
        if kind == "signal":
            alarm = resources.enter_context(SignalAlarm())
        else:
            alarm = ThreadAlarm(resources.enter_context(Watchdog()))
        alarm.start(timedelta(seconds=SOON))
        first = alarm.turn
        with pytest.raises(JobInterrupted):
            evict_from_outside(alarm, first)
        alarm.stop()
        alarm.start(timedelta(seconds=0.1))
        evict_from_outside(alarm, first)
        with pytest.raises(JobTimeout):
            let_time_pass()
        alarm.stop()


def evict_from_outside(alarm: Any, turn: int) -> None:
    thread = threading.Thread(target=alarm.evict, args=(turn,))
    thread.start()
    thread.join(SOON)
    for _ in range(100):  # an asynchronous exception is raised between two steps of Python
        pass


def let_time_pass() -> None:
    deadline = time.monotonic() + SOON
    while time.monotonic() < deadline:
        pass


def test_what_is_cancelled_is_not_kept_where_nothing_is() -> None:
    with Backburner("memory://", allow=["tests"], keep_finished=0) as app:
        told = threading.Event()
        app.telemetry.subscribe(lambda record: told.set() if isinstance(record, JobCancelledRecord) else None)
        job = app.delay(look_often)()
        with working(app):
            assert stage.runs.wait(SOON)
            app.jobs.cancel(job.id)
            assert told.wait(SOON)
        assert app.jobs.count(state=["cancelled", "queued", "running"]) == 0
