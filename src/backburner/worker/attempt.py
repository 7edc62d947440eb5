"""One attempt at a job: from the claimed job to its outcome.

load → before → perform → success → after → outcome, with the events `perform`, `invoke`, `error` and `failure` around
them. Nothing that a payload, a hook or a listener raises leaves this file.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import copy_context
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from backburner.core.errors import DeserializationError, JobTimeout, NotAllowed, UnknownJob
from backburner.core.invoke import as_raised, hook_call, invocation
from backburner.core.job import Job
from backburner.core.lifecycle import Move
from backburner.core.ops import Op
from backburner.core.parts import Parts, TaskDriver
from backburner.core.telemetry import (
    JobCancelledRecord,
    JobCrashed,
    JobFailed,
    JobPutBack,
    JobRecord,
    JobReleased,
    JobRetried,
    JobSnoozed,
    JobStarted,
    JobSucceeded,
    ListenerFailed,
)
from backburner.worker.awaiting import run_awaitable
from backburner.worker.cancels import Cancels
from backburner.worker.driving import adrive, drive
from backburner.worker.handle import RunningHandle
from backburner.worker.outcome import PUT_BACK, Count, Judge, Lost, Outcome, Unloadable
from backburner.worker.timeouts import Alarm, AwaitingAlarm

if TYPE_CHECKING:
    from backburner.worker.worker import Worker


class Apart(Protocol):
    """Performs jobs somewhere else than in this process."""

    def takes(self, job: Job[Any]) -> bool:
        """Say whether this job is to be performed there."""

    def perform(self, job: Job[Any], limit: timedelta, handle_for: Callable[[Alarm], RunningHandle]) -> Outcome | Lost:
        """Perform a claimed job once, and return how that ended. What is wanted of it comes through the alarm."""

    def interrupt(self) -> None:
        """Interrupt every job, also those that are yet to come. Safe in signal handlers."""


class Attempts:
    """Performs jobs for a worker.

    An attempt is written once, as an operation whose commands are awaitables, for threads and for event loops.
    `cancels` and `must_stop` are for those who learn in another way what is wanted of them.
    """

    def __init__(
        self,
        worker: Worker,
        parts: Parts,
        cancels: Cancels | None = None,
        must_stop: Callable[[], bool] | None = None,
    ) -> None:
        self._worker = worker
        self._must_stop = must_stop or worker.must_stop
        self._store = parts.store
        self._settings = parts.settings
        self._reader = parts.reader
        self._events = parts.events
        self._telemetry = parts.telemetry
        self._drivers = parts.drivers
        self._judge = Judge(parts.settings, self._trouble)
        self.cancels: Cancels = cancels or Cancels(parts.store)
        self.apart: Apart | None = None
        """Where some jobs are performed, if there is such a place."""

    def make(self, job: Job[Any], alarm: Alarm) -> Outcome:
        """Perform a claimed job once, in this thread or where it belongs, and return how that ended."""
        apart = self.apart
        if apart is not None and apart.takes(job):
            return self._make_apart(apart, job)
        return copy_context().run(drive, self._attempt(job, alarm), run_awaitable)

    def takes_apart(self, job: Job[Any]) -> bool:
        """Say whether a job is performed somewhere else."""
        return self.apart is not None and self.apart.takes(job)

    def interrupt_apart(self) -> None:
        """Interrupt what is performed somewhere else. Safe in signal handlers."""
        if self.apart is not None:
            self.apart.interrupt()

    async def amake(self, job: Job[Any], alarm: AwaitingAlarm) -> Outcome:
        """Perform a claimed job once, in this task, and return how that ended."""
        driver: TaskDriver = self._drivers.in_task or adrive
        outcome: Outcome = await driver(self._attempt(job, alarm), alarm.awaiting)
        return outcome

    def load(self, job: Job[Any], alarm: Alarm) -> bool:
        """Load the payload before the attempt, and say whether that went well; if not, the attempt finds out why."""
        if not self._drivers.loads_early:
            return True
        try:
            alarm.start(self._limit_of(job))
            try:
                job.reader = self._reader
                job.cached_payload = job.payload
            finally:
                alarm.stop()
        except BaseException:
            alarm.stop()
            return False
        return True

    def _attempt(self, job: Job[Any], alarm: Alarm) -> Op[Outcome]:
        started = self._tell_started(job)
        outcome = yield from self._perform_as_event(job, alarm)
        self._tell_ended(outcome, started)
        return outcome

    def _make_apart(self, apart: Apart, job: Job[Any]) -> Outcome:
        started = self._tell_started(job)
        ended = apart.perform(job, self._limit_of(job), lambda alarm: self._handle(job, alarm))
        if isinstance(ended, Lost):
            outcome = self._judge.lost(job, ended.how, ended.error, self._store.now())
            drive(self._tell_error(outcome, ended.error), run_awaitable)
        else:
            outcome = ended
        self._tell_ended(outcome, started)
        return outcome

    def _tell_started(self, job: Job[Any]) -> float:
        if self._telemetry.hears(JobStarted):
            self._telemetry.emit(JobStarted(self._worker.name, job))
        return time.monotonic()

    def _tell_ended(self, outcome: Outcome, started: float) -> None:
        if outcome.count is not Count.SUCCESS or self._telemetry.hears(JobSucceeded):
            self._telemetry.emit(self._record(outcome, time.monotonic() - started))

    def _handle(self, job: Job[Any], alarm: Alarm) -> RunningHandle:
        return RunningHandle(job, alarm, self._store, self.cancels, self._must_stop)

    def _perform_as_event(self, job: Job[Any], alarm: Alarm) -> Op[Outcome]:
        """Perform the job as the event `perform`; a listener that raises fails an attempt that had succeeded."""
        outcome: Outcome | None = None
        try:
            with self._events.surrounding("perform", (self._worker, job)):
                outcome = yield from self._perform(job, alarm)
        except BaseException as error:
            alarm.stop()
            if outcome is None or outcome.count is Count.SUCCESS:
                outcome = yield from self._after_error(job, error)
            else:
                self._trouble("perform", error)
        return self._judge.release(job) if outcome is None else outcome

    def _perform(self, job: Job[Any], alarm: Alarm) -> Op[Outcome]:
        handle = self._handle(job, alarm)
        job.reader = self._reader
        job.handle = handle
        try:
            outcome = yield from self._invoke(job, handle, alarm)
        except BaseException as error:
            alarm.stop()
            outcome = yield from self._after_error(job, as_raised(error))
        finally:
            job.handle = None
            handle.end()
        if outcome.settlement.move in PUT_BACK:
            yield from handle.keep_place()
        return outcome

    def _invoke(self, job: Job[Any], handle: RunningHandle, alarm: Alarm) -> Op[Outcome]:
        limit = self._limit_of(job)
        alarm.start(limit)
        try:
            handle.begin()
            problem = self._load(job)
            if problem is None:
                yield from invocation(job, self._events)
                if alarm.has_rung:
                    raise JobTimeout
        except JobTimeout as error:
            error.args = error.args or (f"ran longer than its max_run_time of {limit.total_seconds():g} s",)
            raise
        finally:
            alarm.stop()
        if problem is not None:
            outcome = yield from self._unloadable(job, problem)
            return outcome
        return self._judge.cancelled(job) if handle.has_seen_cancel else self._judge.success(job)

    def _limit_of(self, job: Job[Any]) -> timedelta:
        wanted, longest = job.max_run_time, self._settings.max_run_time
        return longest if wanted is None else min(wanted, longest)

    def _load(self, job: Job[Any]) -> Unloadable | None:
        """Load the payload; return what is wrong with the handler, so that it is told from an exception of the job."""
        try:
            job.cached_payload = job.payload
        except (DeserializationError, NotAllowed, UnknownJob) as error:
            return error
        return None

    def _unloadable(self, job: Job[Any], error: Unloadable) -> Op[Outcome]:
        outcome = self._judge.unloadable(job, error, self._store.now())
        if outcome.settlement.move is Move.FAIL:
            yield from self._fail(job)
        return outcome

    def _after_error(self, job: Job[Any], error: BaseException) -> Op[Outcome]:
        """Decide what an exception means; errors of the job are told to the listeners of `error` and `failure`."""
        if isinstance(error, KeyboardInterrupt) and self._worker.is_interrupted:
            return self._judge.release(job, error)
        outcome = self._judge.raised(job, error, self._store.now())
        yield from self._tell_error(outcome, error)
        return outcome

    def _tell_error(self, outcome: Outcome, error: BaseException) -> Op[None]:
        if outcome.settlement.move in (Move.RETRY, Move.FAIL):
            arguments = (self._worker, outcome.job, error)
            yield from self._guarded("error", arguments, lambda: self._fail_if_final(outcome))

    def _fail_if_final(self, outcome: Outcome) -> Op[None]:
        if outcome.settlement.move is Move.FAIL:
            yield from self._fail(outcome.job)

    def _fail(self, job: Job[Any]) -> Op[None]:
        yield from self._guarded("failure", (self._worker, job), lambda: self._run_failure_hook(job))

    def _run_failure_hook(self, job: Job[Any]) -> Op[None]:
        if job.cached_payload is None:
            return
        try:
            yield from hook_call("failure", job, job.cached_payload)
        except BaseException as error:
            self._trouble("failure", as_raised(error))

    def _guarded(self, event: str, arguments: tuple[Any, ...], inside: Callable[[], Op[None]]) -> Op[None]:
        """Run `inside`, which raises nothing, as this event: exactly once, whatever the listeners do."""
        has_run = False
        try:
            with self._events.surrounding(event, arguments):
                has_run = True
                yield from inside()
        except BaseException as error:
            self._trouble(event, error)
        if not has_run:
            yield from inside()

    def _trouble(self, event: str, error: BaseException) -> None:
        self._telemetry.emit(ListenerFailed(event, error))

    def _record(self, outcome: Outcome, seconds: float) -> JobRecord:
        """Return what telemetry is told of an outcome."""
        name, job, error = self._worker.name, outcome.job, outcome.error
        run_at = outcome.settlement.run_at or job.run_at
        match outcome.settlement.move:
            case Move.FINISH:
                return JobSucceeded(name, job, seconds)
            case Move.RETRY if error is not None:
                return JobRetried(name, job, seconds, error, run_at)
            case Move.FAIL if error is not None:
                return JobFailed(name, job, seconds, error)
            case Move.SNOOZE if error is not None and outcome.settlement.crashed:
                return JobCrashed(name, job, error)
            case Move.SNOOZE if error is not None and outcome.settlement.error is not None:
                return JobPutBack(name, job, error, run_at)
            case Move.SNOOZE:
                return JobSnoozed(name, job, run_at)
            case Move.CANCEL:
                return JobCancelledRecord(name, job, str(error))
            case _:
                return JobReleased(name, job)
