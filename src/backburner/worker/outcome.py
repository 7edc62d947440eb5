"""How attempts end: each way to leave a job, and what it means for the job's row and for the worker's count."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from backburner.core.errors import (
    DeserializationError,
    JobCancelled,
    JobInterrupted,
    NotAllowed,
    RecordMissing,
    UnknownJob,
)
from backburner.core.hooks import reschedule_at
from backburner.core.job import Job
from backburner.core.lifecycle import Move
from backburner.core.options import check_option, moment_of
from backburner.core.ports import MAX_CRASHES, Settlement
from backburner.core.retry import RetryPolicy
from backburner.core.settings import Settings
from backburner.core.steering import Cancel, Fail, Retry, Snooze
from backburner.core.text import describe
from backburner.worker.timeouts import CANCELLED

PUT_BACK = frozenset({Move.RETRY, Move.SNOOZE, Move.RELEASE})
"""After these there will be another attempt."""

UNKNOWN_AGAIN_AFTER = timedelta(minutes=1)
UNKNOWN_AGAIN_AT_MOST = timedelta(hours=1)


Unloadable = DeserializationError | NotAllowed | UnknownJob
"""What reading a handler may raise."""


class Loss(Enum):
    """Why a process that a job had for itself is gone, or never came to be, without telling how the attempt ended."""

    CRASHED = "crashed"
    """It ended by itself."""
    LATE = "late"
    """It was killed: the job ran for too long."""
    CANCELLED = "cancelled"
    """It was killed: the job was cancelled."""
    INTERRUPTED = "interrupted"
    """It was killed: the worker stops, or has lost the job."""
    NOT_MADE = "not made"


class Lost(NamedTuple):
    """A job whose process is gone."""

    how: Loss
    error: BaseException
    """What to say of it."""


class Count(Enum):
    """How a worker counts an attempt."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEITHER = "neither"


@dataclass(slots=True)  # frozen, it would take three times as long to make
class Outcome:
    """How an attempt ended."""

    job: Job[Any]
    settlement: Settlement
    count: Count
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Judge:
    """Decides what becomes of a job."""

    settings: Settings
    on_trouble: Callable[[str, BaseException], None]
    """Told of a `reschedule_at` that raised; the default time is taken then."""

    def success(self, job: Job[Any]) -> Outcome:
        """Settle a job whose payload returned; a result that it gave itself is kept with it."""
        keep = bool(self.settings.keep_finished)
        result = None if job.result is None else json.dumps(job.result)
        settlement = Settlement(job.id, job.lease or 0, Move.FINISH, None, None, keep, True, result)
        return Outcome(job, settlement, Count.SUCCESS)

    def unloadable(self, job: Job[Any], error: Unloadable, now: datetime) -> Outcome:
        """Settle a job whose handler could not be turned into a payload."""
        match error:
            case RecordMissing() if job.discard_missing:
                return self._settle(job, Move.CANCEL, Count.NEITHER, error)
            case DeserializationError() | NotAllowed():
                return self._settle(job, Move.FAIL, Count.FAILURE, error, keep=job.keep_failed, counts=False)
            case _:
                return self._settle(job, Move.SNOOZE, Count.NEITHER, error, run_at=now + _patience(job, now))

    def raised(self, job: Job[Any], error: BaseException, now: datetime) -> Outcome:
        """Settle a job whose payload, or one of its hooks, raised."""
        match error:
            case Snooze():
                return self._settle(job, Move.SNOOZE, Count.NEITHER, error, run_at=error.moment(now), silent=True)
            case Cancel() | JobCancelled():
                return self._settle(job, Move.CANCEL, Count.NEITHER, error, keep=bool(self.settings.keep_finished))
            case JobInterrupted():
                return self.release(job, error)
            case Fail():
                return self._failed(job, error)
            case _:
                return self._retried_or_failed(job, error, now)

    def release(self, job: Job[Any], error: BaseException | None = None) -> Outcome:
        """Give a job back, so that the attempt does not count."""
        return Outcome(job, Settlement(job.id, job.lease or 0, Move.RELEASE), Count.NEITHER, error)

    def cancelled(self, job: Job[Any]) -> Outcome:
        """Settle a job whose payload saw that it was cancelled, and returned."""
        keep = bool(self.settings.keep_finished)
        return self._settle(job, Move.CANCEL, Count.NEITHER, JobCancelled(CANCELLED), keep=keep)

    def lost(self, job: Job[Any], loss: Loss, error: BaseException, now: datetime) -> Outcome:
        """Settle a job whose process is gone. The payload is not loaded here: that may be what killed the process."""
        match loss:
            case Loss.CRASHED:
                return self._crashed(job, error)
            case Loss.LATE if job.attempts + 1 >= job.max_attempts:
                return self._failed(job, error)
            case Loss.LATE:
                return self._retried(job, error, self._time_by_policy(job, now))
            case Loss.CANCELLED:
                return self.cancelled(job)
            case Loss.INTERRUPTED:
                return self.release(job, error)
            case Loss.NOT_MADE:
                return self._settle(job, Move.SNOOZE, Count.NEITHER, error, run_at=now + UNKNOWN_AGAIN_AFTER)

    def _crashed(self, job: Job[Any], error: BaseException) -> Outcome:
        job.crashes += 1
        if job.crashes < MAX_CRASHES:
            return self._settle(job, Move.SNOOZE, Count.NEITHER, error, crashed=True)
        return self._settle(job, Move.FAIL, Count.FAILURE, error, keep=job.keep_failed, counts=False, crashed=True)

    def _retried_or_failed(self, job: Job[Any], error: BaseException, now: datetime) -> Outcome:
        if job.attempts + 1 >= job.max_attempts:
            return self._failed(job, error)
        return self._retried(
            job, error, error.moment(now) if isinstance(error, Retry) else self._next_attempt(job, now)
        )

    def _retried(self, job: Job[Any], error: BaseException, run_at: datetime) -> Outcome:
        job.attempts += 1
        return self._settle(job, Move.RETRY, Count.FAILURE, error, run_at=run_at)

    def _failed(self, job: Job[Any], error: BaseException) -> Outcome:
        job.attempts += 1
        return self._settle(job, Move.FAIL, Count.FAILURE, error, keep=job.keep_failed)

    def _next_attempt(self, job: Job[Any], now: datetime) -> datetime:
        try:
            own = reschedule_at(job.payload, now, job.attempts + 1)
            if own is not None:
                return moment_of(check_option("run_at", own), now)
        except Exception as trouble:
            self.on_trouble("reschedule_at", trouble)
        return self._time_by_policy(job, now)

    def _time_by_policy(self, job: Job[Any], now: datetime) -> datetime:
        return RetryPolicy(jitter=self.settings.retry_jitter).next_at(now, job.attempts + 1, random.random)

    def _settle(
        self,
        job: Job[Any],
        move: Move,
        count: Count,
        error: BaseException,
        *,
        run_at: datetime | None = None,
        keep: bool = True,
        counts: bool = True,
        crashed: bool = False,
        silent: bool = False,
    ) -> Outcome:
        text = None if silent else describe(error)
        job.last_error = text or job.last_error
        settlement = Settlement(
            job.id, job.lease or 0, move, run_at=run_at, error=text, keep=keep, counts=counts, crashed=crashed
        )
        return Outcome(job, settlement, count, error)


def _patience(job: Job[Any], now: datetime) -> timedelta:
    """Wait longer for code that has been missing for long: a tenth of the job's age, from a minute to an hour."""
    return min(max((now - job.created_at) / 10, UNKNOWN_AGAIN_AFTER), UNKNOWN_AGAIN_AT_MOST)
