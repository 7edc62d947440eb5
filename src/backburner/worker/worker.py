"""The worker: claims jobs and performs them, until there are none or until it is stopped."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from socket import gethostname
from typing import Any
from uuid import UUID

from backburner.core.errors import ConfigurationError, JobNotFound, SchemaMissing, StoreUnavailable
from backburner.core.isolation import Isolation, check_isolation
from backburner.core.job import Job
from backburner.core.options import check_priority, check_queue
from backburner.core.parts import Parts
from backburner.core.ports import ClaimRequest, WorkerInfo
from backburner.core.telemetry import (
    ListenerFailed,
    WorkerStarted,
    WorkerStopped,
)
from backburner.core.times import to_duration
from backburner.worker.executors.hands import Tally
from backburner.worker.page import LEAVING, STOPPED, WORKING, Page
from backburner.worker.shift import Shift
from backburner.worker.signals import raising_interrupts, stopping_by_signal
from backburner.worker.station import Station
from backburner.worker.trouble import CLAIMING, SETTLING, Trouble

PASS = 100
"""Jobs in one `work_off`, unless told otherwise."""

UNLIMITED = 1 << 31
"""Jobs in one pass of `run`: as many as the hands see fit."""

BY_SIGNAL = 128
"""Added to the number of a signal it is the exit code of a process that ended because of it."""


class Worker:
    """Claims jobs and performs them.

    `queues` and `exclude` name the queues to serve (default: all); `concurrency` is how many jobs run at once: 1 in
    the calling thread, more in threads, and async ones in one event loop. `grace` is how long jobs may go on after
    `stop`. `isolation="process"` gives each job that does not say otherwise a process of its own. Made by `app.worker`,
    which says more. Raises ConfigurationError when an argument is wrong.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        queues: Sequence[str] | None = None,
        exclude: Sequence[str] = (),
        concurrency: int = 1,
        min_priority: int | None = None,
        max_priority: int | None = None,
        name: str | None = None,
        sleep_delay: timedelta | float | None = None,
        grace: timedelta | float = 25,
        isolation: Isolation | None = None,
    ) -> None:
        settings = parts.settings
        self._parts = parts
        self._request = _request(
            queues or settings.queues,
            exclude,
            settings.min_priority if min_priority is None else min_priority,
            settings.max_priority if max_priority is None else max_priority,
        )
        self.concurrency: int = _checked_concurrency(concurrency)
        self.name: str = name or _unique_name()
        idle = settings.sleep_delay if sleep_delay is None else sleep_delay
        self.sleep_delay: timedelta = _checked_duration("sleep_delay", idle)
        self.grace: timedelta = _checked_duration("grace", grace)
        self.isolation = _checked_isolation(isolation)
        self.station: Station = Station(page=Page(self.concurrency))
        """What it shows, and what it may do with the process; may be replaced while it does not work."""
        self.aborted_by: int | None = None
        """The number of the second signal, when that ended `run`."""
        self._is_stopping = False
        self._how = WORKING
        self.is_interrupted: bool = False
        """Whether the user pressed Ctrl-C while it works outside of `run`."""
        self._shift: Shift | None = None

    @property
    def queues(self) -> tuple[str, ...] | None:
        """The queues that it serves; None: all."""
        return self._request.queues

    def must_stop(self) -> bool:
        """Say whether it is to take no more jobs."""
        return self._is_stopping

    def work_off(self, limit: int = PASS) -> tuple[int, int]:
        """Claim and perform jobs until nothing is ready, at most `limit`; return (successes, failures).

        A failure is an attempt that failed, also of a job that is tried again. Jobs that snoozed, were cancelled or put
        back count as neither. What a job raises does not leave this call. Raises StoreUnavailable when the database
        fails; jobs that still run then are interrupted.
        """
        total = Tally()
        with self._on_shift(self.concurrency) as shift:
            while (tally := shift.turn(limit - total.started)).has_work:
                total.add(tally)
            shift.claimer.flush()
        return total.successes, total.failures

    def run(self, *, exit_on_complete: bool = False) -> None:
        """Perform jobs until `stop` is called, or a TERM or INT signal comes, or, if wanted, nothing is ready.

        Jobs that run then may end within `grace`; after that they are interrupted and given back. A second signal
        interrupts them at once. While the database fails, it tries again and again.
        """
        telemetry, events = self._parts.telemetry, self._parts.events
        total = Tally()
        with stopping_by_signal(self, aborts=not self.station.is_supervised):
            telemetry.emit(WorkerStarted(self.name, self.queues, self.concurrency))
            events.run_guarded("execute", (self,), lambda: self._serve(total, exit_on_complete), self._troubled)
        telemetry.emit(WorkerStopped(self.name, total.successes, total.failures))

    def perform(self, job: Job[Any] | UUID | str) -> bool:
        """Claim this one job, due or not, and perform it; return whether it succeeded.

        What it raises does not leave this call. Raises JobNotFound, and InvalidState when it is not queued.
        """
        with self._on_shift(concurrency=1) as shift:
            shift.claimer.claim_one(_id_of(job))
            tally = shift.turn(0)
            shift.claimer.flush()
        return tally.successes == 1

    def stop(self, reason: str = "asked to stop") -> None:
        """Take no more jobs; `run` ends when those that run are done, or after `grace`. May be called from anywhere."""
        if self._how != STOPPED:
            self._stop(reason, STOPPED, self.grace.total_seconds())

    def leave(self, reason: str) -> None:
        """Take no more jobs; `run` ends when those that run are done, however long that takes."""
        if not self._is_stopping:
            self._stop(reason, LEAVING, None)

    def abort(self, number: int) -> None:
        """Interrupt the jobs that run, give them back and end; `number` is the signal that asked for it."""
        self.aborted_by = number
        self._is_stopping = True
        shift = self._shift
        if shift is not None:
            shift.abort()

    def show_jobs(self) -> None:
        """Say which jobs run, and where each is just now. May be called from anywhere."""
        shift = self._shift
        if shift is not None:
            shift.show_jobs()

    @property
    def exit_code(self) -> int:
        """What a process that is there for this worker ends with."""
        return 0 if self.aborted_by is None else BY_SIGNAL + self.aborted_by

    def _stop(self, reason: str, how: int, grace: float | None) -> None:
        self._is_stopping = True
        self._how = self.station.page.is_leaving = how
        shift = self._shift
        if shift is not None:
            shift.stop(reason, grace)

    def _serve(self, total: Tally, exit_on_complete: bool) -> None:
        with self._on_shift(self.concurrency) as shift:
            trouble = Trouble(shift.outage)
            while not self._is_stopping:
                tally = self._pass(shift, trouble)
                total.add(tally)
                if trouble.is_on:
                    trouble.wait(shift.watch)
                elif not tally.has_work:
                    if exit_on_complete:
                        break
                    shift.wait()
            self._finish(shift, total, trouble)

    def _pass(self, shift: Shift, trouble: Trouble) -> Tally:
        """Do one turn of the loop; when the store fails, say so and count nothing."""
        turn = partial(shift.turn, UNLIMITED)
        try:
            tally = self._parts.events.run_guarded("loop", (self,), turn, self._troubled)
        except (StoreUnavailable, SchemaMissing) as error:
            trouble.begin(CLAIMING, error)
            return Tally()
        trouble.end()
        return tally

    def _finish(self, shift: Shift, total: Tally, trouble: Trouble) -> None:
        """Let what runs come to its end, even when the store fails meanwhile."""
        while True:
            try:
                tally = shift.turn(0)
            except (StoreUnavailable, SchemaMissing) as error:
                trouble.begin(SETTLING, error)
                if not shift.hands.is_busy:
                    return
                trouble.wait(shift.watch)
                continue
            trouble.end()
            total.add(tally)
            if not tally.ended:
                return

    @contextmanager
    def _on_shift(self, concurrency: int) -> Iterator[Shift]:
        """Work within the block; a KeyboardInterrupt of the user's, not of a job's, leaves it when all is settled."""
        info = WorkerInfo(self.name, gethostname(), os.getpid(), self.queues, concurrency)
        try:
            with raising_interrupts(self._note_interrupt), Shift(self, self._parts, info, self._request) as shift:
                self._shift = shift
                yield shift
            if self.is_interrupted:
                raise KeyboardInterrupt
        finally:
            self._shift = None
            self.is_interrupted = self._is_stopping = False
            self._how = WORKING

    def _note_interrupt(self) -> None:
        self.is_interrupted = self._is_stopping = True

    def _troubled(self, event: str, error: BaseException) -> None:
        self._parts.telemetry.emit(ListenerFailed(event, error))


def _request(
    queues: Sequence[str] | None, exclude: Sequence[str], min_priority: int | None, max_priority: int | None
) -> ClaimRequest:
    """Return what the worker asks for at each claim, but for its lease and its limit."""
    try:
        return ClaimRequest(
            lease=0,
            worker_name="",
            limit=0,
            queues=tuple(check_queue(queue) for queue in _listed("queues", queues)) or None,
            exclude=tuple(check_queue(queue) for queue in _listed("exclude", exclude)),
            min_priority=None if min_priority is None else check_priority(min_priority),
            max_priority=None if max_priority is None else check_priority(max_priority),
        )
    except ValueError as error:
        raise ConfigurationError(f"worker: {error}") from None


def _listed(name: str, queues: Sequence[str] | None) -> Sequence[str]:
    if isinstance(queues, str):
        raise ConfigurationError(f"{name}: expected a list of queues, got the text {queues!r}")
    return queues or ()


def _checked_concurrency(value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(f"concurrency: expected a whole number from 1 on, got {value!r}")
    return value


def _checked_duration(name: str, value: timedelta | float) -> timedelta:
    try:
        duration = to_duration(value)
    except TypeError as error:
        raise ConfigurationError(f"{name}: {error}") from None
    if duration < timedelta(0):
        raise ConfigurationError(f"{name}: expected zero seconds or more, got {value!r}")
    return duration


def _checked_isolation(value: Isolation | None) -> Isolation | None:
    try:
        return None if value is None else check_isolation(value)
    except ValueError as error:
        raise ConfigurationError(f"isolation: {error}") from None


def _unique_name() -> str:
    """Return a name that no other worker has, also not one that gets the same process id later."""
    return f"{gethostname()}:{os.getpid()}:{os.urandom(3).hex()}"


def _id_of(job: Job[Any] | UUID | str) -> UUID:
    if isinstance(job, Job):
        return job.id
    try:
        return job if isinstance(job, UUID) else UUID(job)
    except (ValueError, AttributeError, TypeError):
        raise JobNotFound(f"expected a job or the id of one, got {job!r}") from None
