"""The alarm of an attempt that is a task of an event loop: it cancels what the task awaits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from backburner.core.errors import JobCancelled, JobInterrupted, JobTimeout
from backburner.worker.timeouts import CANCELLED, EVICTED, INTERRUPTED, SHORTEST_REPEAT

NEVER = float("inf")


class TaskAlarm:
    """An alarm for one attempt, a task of an event loop. To be called in the thread of the loop, unless it says more.

    What the job awaits is cancelled as asyncio cancels it, with CancelledError, because that is what libraries know how
    to clean up after. For the attempt, and so for hooks and listeners, it is JobTimeout, JobInterrupted or
    JobCancelled.
    `must_end` says whether no job may go on, from before `interrupt` is called.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, must_end: Callable[[], bool]) -> None:
        self._loop = loop
        self._must_end = must_end
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = NEVER
        self._task: asyncio.Task[Any] | None = None
        self.turn = 0
        self._has_rung = False
        self._why: BaseException | None = None
        """Why it has cancelled what the job awaits just now, if it has."""

    @property
    def has_rung(self) -> bool:
        """See `Alarm.has_rung`; a job that kept the loop busy until it was too late is late as well."""
        return self._has_rung or self._loop.time() > self._deadline

    def start(self, limit: timedelta) -> None:
        """See `Alarm.start`."""
        seconds = limit.total_seconds()
        self._has_rung = False
        self._task = asyncio.current_task(self._loop)
        self._deadline = self._loop.time() + seconds
        self._timer = self._loop.call_at(self._deadline, self._ring, max(seconds, SHORTEST_REPEAT))
        if self._must_end():  # since before it was armed
            raise JobInterrupted(INTERRUPTED)

    def stop(self) -> None:
        """See `Alarm.stop`."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._task = None
        self._deadline = NEVER

    def interrupt(self) -> None:
        """See `Alarm.interrupt`."""
        self._cancel(JobInterrupted(INTERRUPTED))

    def evict(self, turn: int) -> None:  # noqa: ARG002  # an alarm has one turn
        """See `Alarm.evict`."""
        self._cancel_soon(JobInterrupted(EVICTED))

    def cancel(self, turn: int) -> bool:  # noqa: ARG002
        """See `Alarm.cancel`."""
        self._cancel_soon(JobCancelled(CANCELLED))
        return True

    async def awaiting(self, awaitable: Awaitable[Any]) -> Any:
        """See `AwaitingAlarm.awaiting`."""
        try:
            return await awaitable
        except asyncio.CancelledError as cancelled:
            if self._why is None:  # the job itself raised it, or somebody else cancelled its task
                raise
            raise (JobInterrupted(INTERRUPTED) if self._must_end() else self._why) from cancelled
        finally:
            self._why = None
            _forget_cancels(self._loop)

    def _ring(self, repeat: float) -> None:
        self._has_rung = True
        self._timer = self._loop.call_later(repeat, self._ring, repeat)
        self._cancel(JobTimeout())

    def _cancel_soon(self, why: BaseException) -> None:
        with suppress(RuntimeError):  # the loop is closed: the worker has ended, and has given back what it held
            self._loop.call_soon_threadsafe(self._cancel, why)

    def _cancel(self, why: BaseException) -> None:
        if self._task is not None:  # the attempt is between `start` and `stop`
            self._why = why
            self._task.cancel()


def _forget_cancels(loop: asyncio.AbstractEventLoop) -> None:
    """Let the task go on as one that nobody cancelled: hooks may use what goes by that, such as `asyncio.TaskGroup`."""
    task = asyncio.current_task(loop)
    while task is not None and task.cancelling():
        task.uncancel()
