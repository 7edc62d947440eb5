"""Alarms that end an attempt from outside: by signal in the main thread, by an asynchronous exception in others.

Neither can interrupt a single call into C code that does not return; the exception is raised when it does. Attempts in
an event loop have an alarm of their own, `worker/task_alarm.py`.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Awaitable
from datetime import timedelta
from types import FrameType, TracebackType
from typing import Any, Protocol

from backburner.core.errors import JobInterrupted, JobTimeout
from backburner.worker.watchdog import Watchdog

NEVER = float("inf")
SOONEST = 1e-6
"""Seconds to the next ring of a timer, at the least: 0 would end it."""

GOOD_FOR = 1.0
"""Seconds for which a timer that was set is relied on."""

SHORTEST_REPEAT = 1.0
"""Seconds after which an alarm rings again, at the least, when the job goes on in spite of it."""

CANCELLED = "cancelled while it was running"
CALLS, PAUSE = 20, 0.01
"""How often the main thread is called, and seconds between two calls."""

INTERRUPTED = "the worker stops"
EVICTED = "the worker has lost the job, or could not renew its lease: others may have it"


class Alarm(Protocol):
    """Rings for the job that one thread performs."""

    @property
    def turn(self) -> int:
        """How often it was started: so that what is meant for one job does not reach the next."""

    @property
    def has_rung(self) -> bool:
        """Whether it rang since `start`, even when the job swallowed the exception."""

    def start(self, limit: timedelta) -> None:
        """Raise JobTimeout in this thread when `stop` is not called within `limit`, and again after each `limit`."""

    def stop(self) -> None:
        """Raise nothing any more. An exception that is on its way may still leave this call; call it again then."""

    def interrupt(self) -> None:
        """Raise JobInterrupted in the job that runs, or else in the next `start`.

        May be called from any thread and from signal handlers.
        """

    def evict(self, turn: int) -> None:
        """Raise JobInterrupted in the job of this turn, if it runs. May be called from any thread."""

    def cancel(self, turn: int) -> bool:
        """Raise JobCancelled in the job of this turn, if that is done here; return whether it is.

        Not in threads: between any two steps of Python it would leave behind what is half done, and a job that is
        cancelled, unlike one that takes too long, is a healthy one. May be called from any thread.
        """


class AwaitingAlarm(Alarm, Protocol):
    """Rings for the job that one task performs."""

    async def awaiting(self, awaitable: Awaitable[Any]) -> Any:
        """Await for the job, and raise here what the alarm raises."""


class SignalAlarm:
    """An alarm for the main thread, made of SIGALRM and the interval timer; it owns both while it is entered.

    To set the timer takes as long as all else that there is to a short job but the job. So a timer that rings before
    the deadline is left as it is, and set anew when it rings; for a moment only, as a job may take it away.
    """

    def __init__(self) -> None:
        self.turn: int = 0
        self._deadline = NEVER
        self._repeat = NEVER
        self._rings_at = NEVER
        """What the timer was set to."""
        self._good_until = 0.0
        """When the timer is to be set again, although it may ring early enough."""
        self._has_rung = False
        self._is_armed = False
        self._is_interrupting = False
        self._is_called = False
        """Whether a signal from `_call` has not been heard yet."""
        self._evicted = 0
        """The turn that is to end, if it still lasts."""

    @property
    def has_rung(self) -> bool:
        """See `Alarm.has_rung`."""
        return self._has_rung

    @staticmethod
    def is_possible() -> bool:
        """Say whether this thread may use it."""
        return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()

    def __enter__(self) -> SignalAlarm:
        self._previous = signal.signal(signal.SIGALRM, self._ring)
        self._previous_timer = signal.setitimer(signal.ITIMER_REAL, 0)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
        signal.signal(signal.SIGALRM, self._previous)
        signal.setitimer(signal.ITIMER_REAL, *self._previous_timer)

    def start(self, limit: timedelta) -> None:
        """See `Alarm.start`."""
        seconds = limit.total_seconds()
        now = time.monotonic()
        self.turn += 1
        self._has_rung = False
        self._deadline = now + seconds
        self._repeat = max(seconds, SHORTEST_REPEAT)
        self._is_armed = True
        if self._deadline < self._rings_at or now > self._good_until:
            self._set(now)
        if self._is_interrupting:  # since before it was armed
            raise JobInterrupted(INTERRUPTED)

    def stop(self) -> None:
        """See `Alarm.stop`."""
        self._is_armed = False  # and the timer runs on

    def interrupt(self) -> None:
        """See `Alarm.interrupt`."""
        self._is_interrupting = True
        self._call()

    def evict(self, turn: int) -> None:
        """See `Alarm.evict`."""
        self._evicted = turn
        self._call()

    def cancel(self, turn: int) -> bool:  # noqa: ARG002  # see `Alarm.cancel`
        """See `Alarm.cancel`."""
        return False

    def _call(self) -> None:
        """Let the main thread see what has changed."""
        self._is_called = True
        if threading.current_thread() is threading.main_thread():
            self._ring()
            return
        # A signal that comes just before a call of the system begins does not end that call: so it is sent until it is
        # heard, or for so long that this must be a call that no signal ends.
        for _ in range(CALLS):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)
            time.sleep(PAUSE)
            if not self._is_called:
                return

    def _ring(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        self._is_called = False
        if not self._is_armed:
            self._rings_at = NEVER
            return
        now = time.monotonic()
        is_late = now >= self._deadline
        if is_late:
            self._deadline = now + self._repeat
        self._set(now)
        if self._is_interrupting:
            raise JobInterrupted(INTERRUPTED)
        self._end_turn()
        if is_late:
            self._has_rung = True
            raise JobTimeout

    def _set(self, now: float) -> None:
        """Let the timer ring at the deadline."""
        self._rings_at, self._good_until = self._deadline, now + GOOD_FOR
        signal.setitimer(signal.ITIMER_REAL, max(self._deadline - now, SOONEST))

    def _end_turn(self) -> None:
        """Raise what is to end just this turn, if anything is."""
        if self._evicted == self.turn:
            raise JobInterrupted(EVICTED)


class ThreadAlarm:
    """An alarm for any thread, made of a watchdog thread and an asynchronous exception."""

    def __init__(self, watchdog: Watchdog) -> None:
        self._post = watchdog.post(threading.get_ident())
        self._is_interrupted = False

    @property
    def turn(self) -> int:
        """See `Alarm.turn`."""
        return self._post.turn

    @property
    def has_rung(self) -> bool:
        """See `Alarm.has_rung`."""
        return self._post.has_rung

    def start(self, limit: timedelta) -> None:
        """See `Alarm.start`."""
        seconds = limit.total_seconds()
        self._post.arm(seconds, max(seconds, SHORTEST_REPEAT))
        if self._is_interrupted:  # since before it was armed
            raise JobInterrupted(INTERRUPTED)

    def stop(self) -> None:
        """See `Alarm.stop`."""
        self._post.disarm()

    def interrupt(self) -> None:
        """See `Alarm.interrupt`."""
        self._is_interrupted = True
        self._post.raise_in_thread(JobInterrupted)

    def evict(self, turn: int) -> None:
        """See `Alarm.evict`."""
        self._post.raise_in_thread(JobInterrupted, turn)

    def cancel(self, turn: int) -> bool:  # noqa: ARG002  # see `Alarm.cancel`
        """See `Alarm.cancel`."""
        return False
