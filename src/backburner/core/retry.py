"""When a failed job is tried again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

MAX_DELAY = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Wait `attempts**4 + 5` seconds, as Delayed::Job does; with `jitter`, up to that share longer.

    After 1, 2, 3 … failed attempts: 6, 21, 86, 261, 630 … seconds; 25 attempts take 20 days. A delay is at most a year.
    """

    jitter: float = 0.0

    def delay(self, attempts: int, random: Callable[[], float] = lambda: 0.0) -> timedelta:
        """Return how long to wait after so many failed attempts; `random` gives a number from 0 to 1."""
        seconds = (attempts**4 + 5) * (1 + self.jitter * random())
        return timedelta(seconds=min(seconds, MAX_DELAY.total_seconds()))

    def next_at(self, now: datetime, attempts: int, random: Callable[[], float] = lambda: 0.0) -> datetime:
        """Return the time of the next attempt."""
        return now + self.delay(attempts, random)
