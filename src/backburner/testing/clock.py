"""A clock that tests can put forward."""

from __future__ import annotations

from datetime import datetime, timedelta

from backburner.core.times import system_now, to_duration


class Clock:
    """The machine's clock, put forward by as much as it was told: `Backburner(url, clock=Clock())`."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        """Return the time."""
        return system_now() + self._ahead

    def travel(self, duration: timedelta | float) -> None:
        """Put the clock forward."""
        ahead = to_duration(duration)
        if ahead < timedelta(0):
            raise ValueError(f"expected a duration of zero or more, got {duration!r}: a clock of jobs never goes back")
        self._ahead += ahead
