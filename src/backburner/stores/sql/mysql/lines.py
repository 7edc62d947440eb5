"""Where claims begin: what a store remembers of the line, so that it need not look at all of it each time.

A queue and a priority that have queued jobs are a front. Before what was claimed last from a front lie rows that are
gone but not cleared away; a claim that begins where the last one ended does not pass over them. What becomes ready
before that place, or in a front that comes first and is not known, is found by a look at everything: from time to time,
whenever there is less than was asked for, and at once when this very store has made it ready.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import NamedTuple

from backburner.stores.sql.wishes import Place, Wish

GOOD_FOR = 1.0
"""Seconds until the next look at everything."""

Key = tuple[int, bytes]
"""The time and the id of a job: its place in the front."""

BEFORE_ALL: Key = (-(1 << 62), b"")

FOREVER = 1 << 62
"""A time after all others."""


class Front(NamedTuple):
    """A queue and a priority with queued jobs, and when the first of them is due."""

    queue: str
    priority: int
    run_at: int


class Line(NamedTuple):
    """The one front that comes first, and where to go on there."""

    place: Place
    begin: Key
    """The last job that was claimed from it."""
    good_until: float
    """By the monotonic clock."""
    first_until: int
    """When a better front is due, by the clock that decides what is due."""
    is_careful: bool = False
    """Whether the next jobs are to be claimed one by one: one was seen that crashed a worker."""


class Look(NamedTuple):
    """What a look at everything gave."""

    fronts: list[Front]
    """Those that fit and are not paused."""
    now: int

    @property
    def due(self) -> list[Front]:
        return [front for front in self.fronts if front.run_at <= self.now]

    @property
    def first(self) -> int | None:
        """The time of the first job, due or not."""
        return min((front.run_at for front in self.fronts), default=None)

    def line(self, last: Key) -> Line | None:
        """Return where to go on after a claim that ended with this job; None when it is not one front alone."""
        due = self.due
        best = min((front.priority for front in due), default=0)
        places = [(front.queue, front.priority) for front in due if front.priority == best]
        if len(places) != 1:
            return None
        better = (f.run_at for f in self.fronts if f.priority <= best and f.run_at > self.now)
        return Line(places[0], last, monotonic() + GOOD_FOR, min(better, default=FOREVER))


class Lines:
    """The lines that are known, for each wish. To forget all of them, it is replaced by a new one.

    So a claim that began before what it was told is forgotten notes its result where nobody reads it. No lock is
    needed: whoever comes last counts, and where two claims from one store cross, either of their ends will do.
    """

    def __init__(self) -> None:
        self._known: dict[Wish, Line] = {}

    def recall(self, wish: Wish, now: int) -> Line | None:
        """Return the line for a wish, unless it is time for a new look."""
        line = self._known.get(wish)
        if line is None or line.good_until < monotonic() or line.first_until <= now:
            return None
        return line

    def note(self, wish: Wish, line: Line | None) -> None:
        """Keep the line for a wish, or none."""
        if line is None:
            self._known.pop(wish, None)
        else:
            self._known[wish] = line

    def would_miss(self, jobs: Iterable[tuple[Place, Key]]) -> bool:
        """Say whether some claim would pass by one of these jobs, or put another one before it."""
        known = list(self._known.items())
        return bool(known) and any(_misses(line, wish, *job) for wish, line in known for job in jobs)


def _misses(line: Line, wish: Wish, place: Place, key: Key) -> bool:
    if place == line.place:
        return key <= line.begin
    return wish.fits(*place) and place[1] <= line.place[1]
