"""How async jobs are ended from outside: by a timeout, by a worker that stops; and what they do themselves."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from backburner import Backburner, Job, JobHooks, JobInterrupted, JobTimeout, State, job
from backburner.core.telemetry import JobStarted, Record
from backburner.worker.executors import many
from tests.worker.jobs import note, note_async, trace

SOON = 30.0


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left_to_be_collected() -> Iterator[None]:
    """Let tasks whose exceptions nobody asked for say so here: within a compilation, Python 3.11 takes offence."""
    yield
    gc.collect()


@job
async def hang() -> None:
    await asyncio.Event().wait()


@job
async def swallow_exceptions() -> None:
    try:
        await asyncio.Event().wait()
    except Exception:
        trace.append("swallowed")


@job
async def swallow_everything() -> None:
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    trace.append("swallowed everything")


@job
async def clean_up() -> None:
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        trace.append("cleaned up")


@job
async def hang_in_a_group() -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(asyncio.Event().wait())


@job
async def hang_in_a_timeout() -> None:
    async with asyncio.timeout(SOON):
        await asyncio.Event().wait()


@job
async def keep_the_loop_busy() -> None:
    time.sleep(0.3)  # noqa: ASYNC251  # what a job must not do


@job
async def begin_again() -> None:
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        trace.append("again")
        if len(trace) == 3:
            return


LATE = [hang, swallow_exceptions, clean_up, hang_in_a_group, hang_in_a_timeout, keep_the_loop_busy]


@pytest.mark.parametrize("late", [*LATE, swallow_everything], ids=lambda late: late.__name__)
def test_a_job_that_takes_too_long_fails_and_the_others_go_on(app: Backburner, late: Callable[[], Any]) -> None:
    app.delay(note_async, priority=-1)("before")
    late_one = app.delay(late, max_run_time=0.2)()
    beside = [app.delay(note_async, priority=1)(str(number)) for number in range(5)]
    began = time.monotonic()
    assert app.worker(concurrency=2).work_off() == (6, 1)
    assert time.monotonic() - began < SOON / 2
    assert "swallowed" not in trace
    assert [app.jobs.get(job.id).state for job in beside] == [State.SUCCEEDED] * 5
    failed = app.jobs.get(late_one.id)
    assert (failed.state, failed.attempts) == (State.QUEUED, 1)
    assert (failed.last_error or "").startswith("JobTimeout: ran longer than its max_run_time of 0.2 s")


def test_a_job_may_clean_up_and_await_meanwhile(app: Backburner) -> None:
    app.delay(clean_up, max_run_time=0.1)()
    assert app.worker(concurrency=2).work_off() == (0, 1)
    assert trace == ["cleaned up"]


def test_the_alarm_rings_again(app: Backburner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backburner.worker.task_alarm.SHORTEST_REPEAT", 0.05)
    late = app.delay(begin_again, max_run_time=0.05)()
    assert app.worker(concurrency=2).work_off() == (0, 1)
    assert trace == ["again"] * 3
    assert (app.jobs.get(late.id).last_error or "").startswith("JobTimeout")


@dataclass
class Late(JobHooks):
    """Takes too long, and looks at what its hooks see of it."""

    cleans_up: bool

    async def perform(self) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if self.cleans_up:
                raise

    async def error(self, job: Job[Any], exception: BaseException) -> None:
        await self._note(type(exception).__name__)

    async def after(self) -> None:
        await self._note("after")

    async def failure(self) -> None:
        await self._note("failure")

    async def _note(self, what: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0, "what goes by it, such as asyncio.TaskGroup, would cancel the task again"
        await asyncio.sleep(0)
        trace.append(what)


@pytest.mark.parametrize(("cleans_up", "seen"), [(True, ["JobTimeout", "after"]), (False, ["after"])])
def test_hooks_of_a_job_that_took_too_long_are_not_cancelled(app: Backburner, cleans_up: bool, seen: list[str]) -> None:
    app.enqueue(Late(cleans_up), max_run_time=0.1, max_attempts=1)
    assert app.worker(concurrency=2).work_off() == (0, 1)
    assert trace == [*seen, "failure"]


@pytest.mark.parametrize("concurrency", [1, 2])
def test_listeners_hear_of_a_timeout(app: Backburner, concurrency: int) -> None:
    heard: list[BaseException] = []
    app.before("error")(lambda worker, job, exception: heard.append(exception))
    app.delay(hang, max_run_time=0.1)()
    assert app.worker(concurrency=concurrency).work_off() == (0, 1)
    assert [type(error) for error in heard] == [JobTimeout]


# What jobs do themselves


async def _cancel_this_task() -> None:
    asyncio.current_task().cancel()  # type: ignore[union-attr]  # this is one
    await asyncio.sleep(0)


async def _cancel_this_task_and_return() -> None:
    asyncio.current_task().cancel()  # type: ignore[union-attr]


async def _await_what_is_cancelled() -> None:
    task = asyncio.create_task(asyncio.Event().wait())
    task.cancel()
    await task


async def _raise(error: BaseException) -> None:
    await asyncio.sleep(0)
    raise error


async def _stop_the_loop() -> None:
    asyncio.get_running_loop().stop()
    await asyncio.sleep(0)


async def _close_the_loop() -> None:
    asyncio.get_running_loop().close()


async def _run_another_loop() -> None:
    coroutine = asyncio.sleep(0)
    try:
        asyncio.run(coroutine)
    finally:
        coroutine.close()


async def _leave_a_task_that_exits() -> None:
    left.append(asyncio.create_task(_raise(SystemExit(3))))
    for _ in range(5):  # until it has done so
        await asyncio.sleep(0)


async def _leave_a_task_that_waits() -> None:
    left.append(asyncio.create_task(asyncio.Event().wait()))


async def _take_over_the_loop() -> None:
    loop = asyncio.get_running_loop()
    loop.set_task_factory(lambda loop, coroutine, **_: asyncio.Task(coroutine, loop=loop))
    loop.set_exception_handler(lambda loop, context: sys.exit(3))
    loop.call_soon(sys.exit, 3)


left: list[asyncio.Task[Any]] = []

HARM: dict[str, tuple[Callable[[], Any], str | None]] = {
    "cancels its task": (_cancel_this_task, "CancelledError"),
    "cancels its task and returns": (_cancel_this_task_and_return, None),
    "awaits what is cancelled": (_await_what_is_cancelled, "CancelledError"),
    "CancelledError": (lambda: _raise(asyncio.CancelledError("mine")), "CancelledError: mine"),
    "SystemExit": (lambda: _raise(SystemExit(3)), "SystemExit: 3"),
    "KeyboardInterrupt": (lambda: _raise(KeyboardInterrupt()), "KeyboardInterrupt"),
    "GeneratorExit": (lambda: _raise(GeneratorExit("mine")), "RuntimeError: awaitable raised GeneratorExit"),
    "StopIteration": (lambda: _raise(StopIteration("mine")), "RuntimeError: coroutine raised StopIteration"),
    "StopAsyncIteration": (lambda: _raise(StopAsyncIteration("mine")), "StopAsyncIteration: mine"),
    "stops the loop": (_stop_the_loop, None),
    "closes the loop": (_close_the_loop, "RuntimeError: Cannot close a running event loop"),
    "runs another loop": (_run_another_loop, "RuntimeError: asyncio.run() cannot be called"),
    "leaves a task that exits": (_leave_a_task_that_exits, None),
    "leaves a task that waits": (_leave_a_task_that_waits, None),
    "takes over the loop": (_take_over_the_loop, None),
}


@job
async def do_harm(kind: str) -> None:
    await HARM[kind][0]()


@pytest.mark.parametrize("kind", HARM)
def test_nothing_that_an_async_job_does_stops_the_worker(
    app: Backburner, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("asyncio"), "disabled", True)
    left.clear()
    app.delay(note_async, priority=-1)("before")
    harmful = app.delay(do_harm, max_attempts=1)(kind)
    for number in range(5):
        app.delay(note_async, priority=number)(f"async {number}")
        app.delay(note, priority=number)(f"sync {number}")
    expected = HARM[kind][1]
    assert app.worker(concurrency=2).work_off() == ((12, 0) if expected is None else (11, 1))
    assert len(trace) == 11
    found = app.jobs.get(harmful.id)
    assert found.state is (State.SUCCEEDED if expected is None else State.FAILED)
    assert (found.last_error or "").startswith(expected or "")


def test_a_task_that_a_job_left_behind_is_cancelled_when_the_worker_ends(app: Backburner) -> None:
    left.clear()
    app.delay(do_harm)("leaves a task that waits")
    app.delay(note_async, priority=1)("after it")
    assert app.worker(concurrency=2).work_off() == (2, 0)
    assert [task.cancelled() for task in left] == [True]


def test_what_stops_the_loop_is_logged(app: Backburner, caplog: pytest.LogCaptureFixture) -> None:
    app.delay(do_harm)("leaves a task that exits")
    app.delay(note_async, priority=1)("after it")
    assert app.worker(concurrency=2).work_off() == (2, 0)
    assert "raised what stops an event loop; the worker goes on" in caplog.text
    assert "SystemExit: 3" in caplog.text


gate, blocked = threading.Event(), threading.Event()


@job
async def cancel_every_task(kind: str) -> None:
    if kind == "block":
        blocked.set()
        assert gate.wait(SOON)
    if kind == "cancel":
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
    trace.append(kind)


@job
def open_gate() -> None:
    gate.set()


def test_a_job_whose_task_is_cancelled_before_it_has_begun_is_performed(app: Backburner) -> None:
    """The first async job blocks the loop until others wait for it, then one of those cancels the rest."""
    gate.clear()
    blocked.clear()
    with running(app, concurrency=6):
        app.delay(cancel_every_task)("known from now on")
        wait_for(app, State.SUCCEEDED, 1)
        app.delay(cancel_every_task)("block")
        assert blocked.wait(SOON)
        with app.bulk():
            for kind in ("cancel", "one", "two"):
                app.delay(cancel_every_task)(kind)
            app.delay(open_gate)()
        wait_for(app, State.SUCCEEDED, 6)
    assert trace == ["known from now on", "block", "cancel", "one", "two"]


# A worker that stops


@contextmanager
def running(app: Backburner, **options: Any) -> Iterator[Any]:
    """Run a worker in another thread within the block."""
    worker = app.worker(**options)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(SOON)
        assert not thread.is_alive()


def wait_for(app: Backburner, state: State, number: int) -> None:
    """Wait until so many jobs are in this state."""
    deadline = time.monotonic() + SOON
    while app.jobs.count(state=state.value) < number:
        assert time.monotonic() < deadline, [(job.name, job.state) for job in app.jobs.where()]
        threading.Event().wait(0.01)


started = threading.Event()


@job
async def hang_after_start(kind: str) -> None:
    started.set()
    try:
        if kind == "blocks the loop":
            gate.wait(SOON)
        await asyncio.Event().wait()
    finally:
        trace.append("saved")


@job
async def end_when_told() -> None:
    started.set()
    assert await asyncio.to_thread(gate.wait, SOON)
    trace.append("ended")


def test_a_running_async_job_may_end_within_the_grace(app: Backburner) -> None:
    started.clear()
    gate.clear()
    one = app.delay(end_when_told)()
    with running(app, concurrency=2, grace=SOON) as worker:
        assert started.wait(SOON)
        worker.stop()
        next_one = app.delay(note_async)("not performed any more")
        gate.set()
    assert trace == ["ended"]
    assert app.jobs.get(one.id).state is State.SUCCEEDED
    assert app.jobs.get(next_one.id).state is State.QUEUED


def test_after_the_grace_an_async_job_is_interrupted_and_given_back(app: Backburner) -> None:
    started.clear()
    one = app.delay(hang_after_start)("awaits")
    with running(app, concurrency=2, grace=0.1):
        assert started.wait(SOON)
    assert trace == ["saved"]
    back = app.jobs.get(one.id)
    assert (back.state, back.attempts, back.crashes, back.locked_by) == (State.QUEUED, 0, 0, None)


def test_a_job_that_keeps_the_loop_busy_is_given_back_when_the_worker_goes_without_it(
    app: Backburner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "LAST_WAIT", 0.3)
    started.clear()
    gate.clear()
    one = app.delay(hang_after_start)("blocks the loop")
    with running(app, concurrency=2, grace=0.1):
        assert started.wait(SOON)
    back = app.jobs.get(one.id)
    assert (back.state, back.attempts, back.crashes, back.locked_by) == (State.QUEUED, 0, 0, None)
    gate.set()
    (loop,) = [thread for thread in threading.enumerate() if thread.name == "backburner-loop"]
    loop.join(SOON)
    assert not loop.is_alive()
    assert app.jobs.get(one.id) == back


def test_an_abort_that_comes_before_an_async_job_has_begun_is_not_lost(app: Backburner) -> None:
    app.before("perform")(lambda worker, job: worker.abort(signal.SIGTERM) if job.priority else None)
    with running(app, concurrency=2) as worker:
        app.delay(note_async)("known from now on")
        wait_for(app, State.SUCCEEDED, 1)
        one = app.delay(note_async, priority=1)("not performed")
        while not worker.aborted_by:
            threading.Event().wait(0.01)
    assert trace == ["known from now on"]
    assert (app.jobs.get(one.id).state, app.jobs.get(one.id).attempts) == (State.QUEUED, 0)


@dataclass
class Interrupted(JobHooks):
    async def perform(self) -> None:
        started.set()
        await asyncio.Event().wait()

    async def error(self) -> None:
        trace.append("error")

    async def after(self) -> None:
        await asyncio.sleep(0)
        trace.append("after")


def test_an_interrupt_is_no_error_of_the_job(app: Backburner) -> None:
    started.clear()
    seen: list[str] = []

    @app.around("invoke")
    def around(job: Job[Any]) -> Any:
        try:
            yield
        except JobInterrupted as error:
            seen.append(str(error))
            raise

    app.enqueue(Interrupted())
    with running(app, concurrency=2, grace=0):
        assert started.wait(SOON)
    assert trace == ["after"]
    assert seen == ["the worker stops"]


@pytest.mark.parametrize("function", [note, note_async], ids=["sync", "async"])
def test_what_no_attempt_should_raise_ends_the_worker_instead_of_leaving_it_waiting(
    app: Backburner, function: Callable[[str], Any]
) -> None:
    def fail(record: Record) -> None:
        if isinstance(record, JobStarted):
            raise ZeroDivisionError

    app.telemetry.subscribe(fail)
    one = app.delay(function)("never begun")
    with pytest.raises(ZeroDivisionError):
        app.worker(concurrency=2).work_off()
    assert app.jobs.get(one.id).state is State.QUEUED
