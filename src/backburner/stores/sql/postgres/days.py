"""History by day: each day of UTC has a partition of its own, made ahead and dropped as a whole.

A day that the cut-off of `prune` falls into waits until all of it is older, so up to a day more is kept than was asked
for. What lies in no day's partition, because nobody could make one in time, is removed row by row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from backburner.core.ops import Op, Reply, Statement
from backburner.core.times import from_micros, to_micros
from backburner.stores.sql.names import Names
from backburner.stores.sql.postgres.settling import Settling
from backburner.stores.sql.upkeep import Upkeep

AHEAD = 2
"""Days made before they begin."""

DAY = timedelta(days=1)
_DATE = re.compile(r"finished_(\d{4})(\d\d)(\d\d)")


class Day(NamedTuple):
    """A partition."""

    date: date
    rows: int
    """About how many it holds."""

    @property
    def end(self) -> datetime:
        return start_of(self.date + DAY)


def start_of(day: date) -> datetime:
    """Return the moment at which a day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


class Days(Settling, Upkeep):
    """The part of the `Upkeep` port that has to do with history."""

    def prune(self, finished_before: datetime, limit: int = 500) -> Op[int]:
        reply: Reply = yield self._statement("days")
        days = list(_days(reply, self._names))
        dropped = 0
        for day in days:
            if day.end <= finished_before:
                yield self._day_statement("drop_day", day.date)
                dropped += day.rows
        if self._clock is None:  # by a clock of somebody's own there is no end of days
            yield from self._make_days({day.date for day in days}, from_micros(reply.rows[0][2]).date())
        removed: Reply = yield self._statement("prune", to_micros(finished_before), limit)
        return dropped + removed.changed

    def _make_days(self, made: set[date], today: date) -> Op[None]:
        for ahead in range(AHEAD + 1):
            day = today + ahead * DAY
            if day not in made:
                yield self._day_statement("make_day", day)

    def _day_statement(self, name: str, day: date) -> Statement:
        schema = f'"{self._names.schema}".' if self._names.schema else ""
        values = {
            "day": f"{schema}{self._names.prefix}finished_{day:%Y%m%d}",
            "start": str(to_micros(start_of(day))),
            "end": str(to_micros(start_of(day + DAY))),
        }
        return Statement(re.sub(r"\{(\w+)\}", lambda found: values[found[1]], self._sql[name]))


def _days(reply: Reply, names: Names) -> Iterator[Day]:
    for name, rows, _ in reply.rows:
        if found := _DATE.fullmatch(name.removeprefix(names.prefix)):
            yield Day(date(*map(int, found.groups())), max(rows, 0))
