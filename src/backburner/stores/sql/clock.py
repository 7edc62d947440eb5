"""What time it is for the database, without asking it each time."""

from __future__ import annotations

from datetime import datetime, timedelta
from time import monotonic
from typing import NamedTuple

from backburner.core.times import from_micros, system_now

OLD_AFTER = 30.0
"""Seconds until the database is asked again."""

DRIFT = 1e-4
"""How much two clocks may differ in speed."""


class Reading(NamedTuple):
    """What the database said when it was asked for the time."""

    at: float
    """By the monotonic clock of this machine, halfway between question and answer."""
    moment: datetime
    doubt: float
    """Seconds by which this may be wrong: half of the time that the question took."""

    def doubt_at(self, at: float) -> float:
        return self.doubt + (at - self.at) * DRIFT

    def moment_at(self, at: float) -> datetime:
        return self.moment + timedelta(0, at - self.at)


class DatabaseClock:
    """An estimate of the database's clock; before the first reading, the machine's clock.

    It goes by the monotonic clock, so it stands still for nobody who sets this machine's clock.
    """

    def __init__(self) -> None:
        self._reading: Reading | None = None
        self._asked_at = 0.0

    @property
    def is_old(self) -> bool:
        """Whether it is time for a new reading."""
        return monotonic() - self._asked_at > OLD_AFTER

    def now(self) -> datetime:
        """Return the time by the database's clock."""
        reading = self._reading
        return system_now() if reading is None else reading.moment_at(monotonic())

    def note(self, micros: int, asked: float, answered: float) -> None:
        """Take a reading, unless the last one is still the better one and they agree."""
        new = Reading((asked + answered) / 2, from_micros(micros), (answered - asked) / 2)
        old = self._reading
        self._asked_at = answered
        if old is None or new.doubt <= old.doubt_at(new.at) or not _agree(old, new):
            self._reading = new


def _agree(old: Reading, new: Reading) -> bool:
    """Say whether both may be right; otherwise somebody has set the database's clock, or it is another database."""
    return abs((old.moment_at(new.at) - new.moment).total_seconds()) <= old.doubt_at(new.at) + new.doubt
