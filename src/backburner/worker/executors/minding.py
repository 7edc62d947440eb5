"""Waiting for the process of a job: hearing how it ends, and seeing to it that it does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from signal import Signals
from time import monotonic
from typing import Any

from backburner.core.errors import JobCancelled, JobInterrupted, JobTimeout
from backburner.core.job import Job
from backburner.core.telemetry import ListenerFailed, Telemetry
from backburner.worker.executors.forking import CANCEL, INTERRUPT, STOP, Child
from backburner.worker.executors.messages import Begun, Ended, Troubled, decoded
from backburner.worker.outcome import Loss, Lost, Outcome
from backburner.worker.timeouts import CANCELLED, INTERRUPTED

TICK = 0.1
"""Seconds after which a worker looks what is wanted of the job, at the latest."""

BEGINS_WITHIN = 5.0
"""Seconds that a process has to leave its worker behind, before it is killed and another one is forked."""

SLACK = 5.0
"""Seconds that a job has to end, once it got JobTimeout, before its process is killed."""

SLACK_OF = {CANCEL: 0.5, INTERRUPT: 1.5}
"""The same for jobs that get JobCancelled or JobInterrupted."""

NEVER = float("inf")


class JobCrashed(Exception):
    """The process of a job ended before the job did."""


class Wishes:
    """What is wanted of a job in another process. It takes the place of the alarm, which is there."""

    turn = 0
    has_rung = False

    def __init__(self, are_interrupted: Callable[[], bool], must_stop: Callable[[], bool]) -> None:
        self._are_interrupted = are_interrupted
        self._must_stop = must_stop
        self._is_cancelled = self._is_evicted = False

    @property
    def is_interrupted(self) -> bool:
        """Whether the job is to end because of its worker."""
        return self._is_evicted or self._are_interrupted()

    def start(self, limit: timedelta) -> None:
        """Leave it to the process."""

    def stop(self) -> None:
        """Leave it to the process."""

    def interrupt(self) -> None:
        """See `Alarm.interrupt`."""
        self._is_evicted = True

    def evict(self, turn: int) -> None:  # noqa: ARG002  # these are of one job
        """See `Alarm.evict`."""
        self._is_evicted = True

    def cancel(self, turn: int) -> bool:  # noqa: ARG002
        """See `Alarm.cancel`."""
        self._is_cancelled = True
        return True

    def words(self) -> list[bytes]:
        """Return what the process is to be told, the most important first."""
        wanted = {
            CANCEL: self._is_cancelled,
            INTERRUPT: self.is_interrupted,
            STOP: self._must_stop(),
        }
        return [word for word, is_wanted in wanted.items() if is_wanted]


class Minder:
    """Waits for one process."""

    def __init__(self, child: Child, job: Job[Any], limit: timedelta, wishes: Wishes, telemetry: Telemetry) -> None:
        self._child = child
        self._job = job
        self._limit = limit.total_seconds()
        self._wishes = wishes
        self._telemetry = telemetry
        self._has_begun = self._was_killed = False
        self._told: list[bytes] = []
        self._kill_at = monotonic() + BEGINS_WITHIN

    def wait(self) -> Outcome | Lost | None:
        """Return how the job ended; None when its process did not even begin. The process is gone then."""
        try:
            while True:
                has_ended = self._child.has_ended()  # first: what it has said before that is heard below
                outcome = self._listen()
                if outcome is not None:
                    return outcome
                if has_ended:
                    return self._lost()
                self._pass_on_wishes()
                self._kill_if_late()
        except BaseException:
            self._child.kill()
            raise
        finally:
            self._child.end()

    def _listen(self) -> Outcome | None:
        for line in self._child.lines(min(TICK, self._kill_at - monotonic())):
            match decoded(line, self._job):
                case Begun():
                    self._has_begun = True
                    self._kill_at = monotonic() + self._limit + SLACK
                case Troubled(event, error):
                    self._telemetry.emit(ListenerFailed(event, error))
                case Ended(outcome):
                    return outcome
        return None

    def _pass_on_wishes(self) -> None:
        if not self._has_begun:
            return
        for word in self._wishes.words():
            if word not in self._told:
                self._told.append(word)
                self._child.tell(word)
                self._kill_at = min(self._kill_at, monotonic() + SLACK_OF.get(word, NEVER))

    def _kill_if_late(self) -> None:
        if monotonic() >= self._kill_at:
            self._was_killed = True
            self._kill_at = NEVER
            self._child.kill()

    def _lost(self) -> Lost | None:
        """Return what to make of a process that is gone without a word."""
        if CANCEL in self._told:
            return Lost(Loss.CANCELLED, JobCancelled(CANCELLED))
        if INTERRUPT in self._told:
            return Lost(Loss.INTERRUPTED, JobInterrupted(INTERRUPTED))
        if not self._was_killed:
            return Lost(Loss.CRASHED, JobCrashed(f"the process of this job {_end_of(self._child.status)}"))
        if not self._has_begun:
            return None
        return Lost(
            Loss.LATE,
            JobTimeout(
                f"ran longer than its max_run_time of {self._limit:g} s, and did not end when it was told to: "
                "its process was killed"
            ),
        )


def _end_of(status: int | None) -> str:
    """Say how a process has ended."""
    match status:
        case None:
            return "ended before the job did; how, nobody knows"
        case -9:
            return "was killed by SIGKILL: by somebody, or by the system, which was short of memory"
        case signal if signal < 0:
            return f"was killed by {_name_of(-signal)}"
        case code:
            return f"ended before the job did, with the exit code {code}"


def _name_of(number: int) -> str:
    try:
        return Signals(number).name
    except ValueError:  # one of the realtime signals
        return f"signal {number}"
