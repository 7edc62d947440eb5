"""Who performs which job, where several run at once."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from backburner.core.job import Job
from backburner.worker.claimer import Claimer
from backburner.worker.outcome import Outcome


class Desk:
    """Gives out the jobs that wait, to so many seats, and takes in how they ended.

    A seat belongs to one job at a time. Whoever ends a job is given the next one for the same seat, so that the
    worker's own thread is called only when few jobs wait, or none. Every method may be called from any thread.
    """

    def __init__(self, seats: int, claimer: Claimer, must_stop: Callable[[], bool], call: Callable[[], None]) -> None:
        self.seats = seats
        self._claimer = claimer
        self._must_stop = must_stop
        self._call = call
        self._lock = threading.Lock()
        self._ended: deque[tuple[Outcome, float]] = deque()
        self._failure: BaseException | None = None
        self._is_called = False
        self._is_closed = False
        self.busy: int = 0
        """How many seats are taken."""
        self.few = 0
        """Call when no more than so many jobs wait."""
        self.last_start: float = time.monotonic()

    @property
    def has_free_seats(self) -> bool:
        """Whether a job could be performed at once."""
        return self.busy < self.seats and not self._must_stop()

    def take(self) -> Job[Any] | None:
        """Take a free seat for the next job; None when there is no seat, or no job."""
        with self._lock:
            job = self._next_job() if self.busy < self.seats else None
            self.busy += job is not None
        return job

    def end(self, outcome: Outcome, took: float) -> Job[Any] | None:
        """Note how a job ended, after so many seconds; return the next one for its seat, or leave the seat."""
        self._claimer.settle(outcome.settlement)
        self._ended.append((outcome, took))
        with self._lock:
            job = self._next_job()
            self.busy -= job is None
        if job is None or len(self._claimer.waiting) <= self.few:
            self._call_worker()
        return job

    def fail(self, error: BaseException) -> None:
        """Note what no attempt should raise, so that the worker hears of it and ends: it is raised by `collect`."""
        self._failure = error
        self._call_worker()

    def collect(self) -> list[tuple[Outcome, float]]:
        """Return what has ended since the last time, and how many seconds each took."""
        self._is_called = False  # before it is looked: what ends from now on calls again
        if self._failure is not None:
            raise self._failure
        ended = []
        while self._ended:
            ended.append(self._ended.popleft())
        return ended

    def close(self) -> None:
        """Give out no more jobs."""
        self._is_closed = True

    def _call_worker(self) -> None:
        if not self._is_called:
            self._is_called = True
            self._call()

    def _next_job(self) -> Job[Any] | None:
        now = time.monotonic()
        if self._is_closed or self._must_stop() or now > self._claimer.lease.starts_until:
            return None
        try:
            job = self._claimer.waiting.popleft()
        except IndexError:
            return None
        self.last_start = now
        return job
