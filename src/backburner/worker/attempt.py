"""One attempt at a job: from the claimed job to its outcome.

load → before → perform → success → after → outcome, with the events `perform`, `invoke`, `error` and `failure` around
them. Nothing that a payload, a hook or a listener raises leaves this file.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from backburner.core.errors import DeserializationError, JobTimeout, NotAllowed, UnknownJob
from backburner.core.invoke import invoke, run_hook
from backburner.core.job import Job
from backburner.core.lifecycle import Move
from backburner.core.parts import Parts
from backburner.core.steering import Snooze
from backburner.core.telemetry import (
    JobCancelledRecord,
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
from backburner.worker.handle import RunningHandle
from backburner.worker.outcome import Count, Judge, Outcome, Unloadable
from backburner.worker.timeouts import Alarm

if TYPE_CHECKING:
    from backburner.worker.worker import Worker


class Attempts:
    """Performs jobs for a worker."""

    def __init__(self, worker: Worker, parts: Parts) -> None:
        self._worker = worker
        self._store = parts.store
        self._settings = parts.settings
        self._reader = parts.reader
        self._events = parts.events
        self._telemetry = parts.telemetry
        self._judge = Judge(parts.settings, self._trouble)

    def make(self, job: Job[Any], alarm: Alarm) -> Outcome:
        """Perform a claimed job once and return how that ended."""
        started = time.monotonic()
        if self._telemetry.hears(JobStarted):
            self._telemetry.emit(JobStarted(self._worker.name, job))
        outcome = self._perform_as_event(job, alarm)
        if outcome.count is not Count.SUCCESS or self._telemetry.hears(JobSucceeded):
            self._telemetry.emit(self._record(outcome, time.monotonic() - started))
        return outcome

    def _perform_as_event(self, job: Job[Any], alarm: Alarm) -> Outcome:
        """Perform the job as the event `perform`; a listener that raises fails an attempt that had succeeded."""
        outcome: Outcome | None = None

        def inside() -> None:
            nonlocal outcome
            outcome = self._perform(job, alarm)

        try:
            self._events.run("perform", (self._worker, job), inside)
        except BaseException as error:
            alarm.stop()
            if outcome is None or outcome.count is Count.SUCCESS:
                return self._after_error(job, error)
            self._trouble("perform", error)
        return outcome or self._judge.release(job)

    def _perform(self, job: Job[Any], alarm: Alarm) -> Outcome:
        handle = RunningHandle(self._store)
        job.reader = self._reader
        job.handle = handle
        try:
            return self._invoke(job, handle, alarm)
        except BaseException as error:
            alarm.stop()
            return self._after_error(job, error)
        finally:
            job.handle = None

    def _invoke(self, job: Job[Any], handle: RunningHandle, alarm: Alarm) -> Outcome:
        limit = min(job.max_run_time or self._settings.max_run_time, self._settings.max_run_time)
        alarm.start(limit)
        try:
            problem = self._load(job)
            if problem is not None:
                return self._unloadable(job, problem)
            copy_context().run(invoke, job, self._events, run_awaitable)
            if alarm.has_rung:
                raise JobTimeout
        except JobTimeout as error:
            error.args = error.args or (f"ran longer than its max_run_time of {limit.total_seconds():g} s",)
            raise
        finally:
            alarm.stop()
        return self._judge.cancelled(job) if handle.has_seen_cancel else self._judge.success(job)

    def _load(self, job: Job[Any]) -> Unloadable | None:
        """Load the payload; return what is wrong with the handler, so that it is told from an exception of the job."""
        try:
            job.cached_payload = job.payload
        except (DeserializationError, NotAllowed, UnknownJob) as error:
            return error
        return None

    def _unloadable(self, job: Job[Any], error: Unloadable) -> Outcome:
        outcome = self._judge.unloadable(job, error, self._store.now())
        if outcome.settlement.move is Move.FAIL:
            self._fail(job)
        return outcome

    def _after_error(self, job: Job[Any], error: BaseException) -> Outcome:
        """Decide what an exception means; errors of the job are told to the listeners of `error` and `failure`."""
        if isinstance(error, KeyboardInterrupt) and self._worker.is_interrupted:
            return self._judge.release(job, error)
        outcome = self._judge.raised(job, error, self._store.now())
        if outcome.settlement.move in (Move.RETRY, Move.FAIL):
            arguments = (self._worker, job, error)
            self._guarded("error", arguments, lambda: self._fail_if_final(outcome))
        return outcome

    def _fail_if_final(self, outcome: Outcome) -> None:
        if outcome.settlement.move is Move.FAIL:
            self._fail(outcome.job)

    def _fail(self, job: Job[Any]) -> None:
        self._guarded("failure", (self._worker, job), lambda: self._run_failure_hook(job))

    def _run_failure_hook(self, job: Job[Any]) -> None:
        if job.cached_payload is None:
            return
        try:
            run_hook("failure", job, job.cached_payload, run_awaitable)
        except BaseException as error:
            self._trouble("failure", error)

    def _guarded(self, event: str, arguments: tuple[Any, ...], inside: Callable[[], None]) -> None:
        self._events.run_guarded(event, arguments, inside, self._trouble)

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
            case Move.SNOOZE if error is not None and not isinstance(error, Snooze):
                return JobPutBack(name, job, error, run_at)
            case Move.SNOOZE:
                return JobSnoozed(name, job, run_at)
            case Move.CANCEL:
                return JobCancelledRecord(name, job, str(error))
            case _:
                return JobReleased(name, job)
