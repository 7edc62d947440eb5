"""A clock that tests can put forward."""

from __future__ import annotations

from datetime import datetime, timedelta

from backburner.core.times import is_naive, system_now, to_duration


class Clock:
    """The machine's clock, put forward by as much as it was told: `Backburner(url, clock=Clock())`."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        """Return the time."""
        return system_now() + self._ahead

    def travel(self, to: datetime | timedelta | float) -> None:
        """Put the clock forward, to an aware time, or by a timedelta or seconds. Raises ValueError for the past."""
        self._ahead += duration_to(to, self())


def duration_to(to: datetime | timedelta | float, now: datetime) -> timedelta:
    """Return how long it is from now to a time, or a duration as it is. Raises ValueError for what lies in the past."""
    if not isinstance(to, datetime):
        duration = to_duration(to)
        if duration < timedelta(0):
            raise ValueError(f"expected a duration of zero or more, got {to!r}: a clock of jobs never goes back")
        return duration
    if is_naive(to):
        raise ValueError(f"expected an aware datetime or a duration, got the naive {to!r}")
    if to < now:
        raise ValueError(f"expected a time from {now} on, got {to}: a clock of jobs never goes back")
    return to - now
