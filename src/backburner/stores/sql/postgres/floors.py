"""Where claims begin: what a store remembers of the jobs that come next, so that it need not look for them each time.

A queue and a priority that have queued jobs are a front. Behind what was claimed last from a front lie dead entries of
the index, as long as nothing has cleaned them up; a claim that begins where the last one ended does not pass over them.
What becomes ready before that place, or in a front that is not known, is found by a look at everything: from time to
time, whenever a claim gives less than it was asked for, and at once when this very store has made it ready.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import monotonic
from typing import Any, NamedTuple
from uuid import UUID

from backburner.stores.sql.postgres.texts import array
from backburner.stores.sql.wishes import Place, Wish

GOOD_FOR = 1.0
"""Seconds until the next look at everything, at least."""

COST_SHARE = 20
"""It is worth waiting so many times as long as the last look took."""

SLACK = 100_000
"""Microseconds by which the estimate of the database's time may be wrong."""

LOOKS = ("fronts", "fronts_of")
"""The statements that look at everything, by name."""

ONE_QUEUE, SINGLE_QUEUES, MANY_QUEUES = LINES = "line_of_one_queue", "line_of_single_queues", "line_of_many_queues"
"""The parts that a claim from known fronts may be made with, by name."""

Key = tuple[int, UUID]
"""The time and the id of a job: its place in the front."""


class Fronts:
    """The fronts that fit a wish, by priority, and where each begins. Not changed after it was made."""

    __slots__ = ("begins", "good_until", "line")

    def __init__(self, begins: dict[Place, Key], good_until: float, line: str | None = None) -> None:
        self.begins: dict[Place, Key] = begins
        self.good_until: float = good_until
        self.line: str = line or _line(begins)
        """Which part a claim from these is made with."""

    def parameters(self) -> dict[str, object]:
        """Return the parameters of this part."""
        if self.line == ONE_QUEUE:
            (((queue, priority), (run_at, job_id)),) = self.begins.items()
            return {"queue": queue, "priority": priority, "time": run_at, "begin": job_id}
        begins = self.begins.values()
        return {
            "queues": array(queue for queue, _ in self.begins),
            "priorities": array(priority for _, priority in self.begins),
            "times": array(run_at for run_at, _ in begins),
            "begins": array(job_id for _, job_id in begins),
        }

    def after(self, claimed: dict[Place, Key]) -> Fronts:
        """Return the fronts as they are when these were the last jobs claimed."""
        return Fronts({**self.begins, **claimed}, self.good_until, self.line)

    def has_before(self, place: Place, key: Key) -> bool:
        """Say whether a claim would pass by a job at this place."""
        begin = self.begins.get(place)
        return begin is None or key < begin


def _line(begins: dict[Place, Key]) -> str:
    if len(begins) == 1:
        return ONE_QUEUE
    return SINGLE_QUEUES if len({priority for _, priority in begins}) == len(begins) else MANY_QUEUES


class Unknown:
    """Stands for the fronts where none are known: the claim itself finds it, if there is but one."""

    __slots__ = ("_wish", "line")

    def __init__(self, wish: Wish) -> None:
        self._wish = wish
        self.line: str = unknown_front(looking(wish)[0])

    def parameters(self) -> dict[str, object]:
        """Return the parameters of this part."""
        wish = self._wish
        return {
            **looking(wish)[1],
            "exclude": array(wish.exclude),
            "min_priority": wish.min_priority,
            "max_priority": wish.max_priority,
        }


def unknown_front(look: str) -> str:
    """Return what the part for unknown fronts is called, when this is the statement that finds them."""
    return f"line_of_unknown_front, {look}"


class Looked(NamedTuple):
    """What a look at everything gave."""

    fronts: Fronts
    first: int | None
    """The time of the first job, due or not; None when there is none."""
    now: int
    """By the clock that decides what is due."""

    @property
    def has_due(self) -> bool:
        return self.first is not None and self.first <= self.now


def looking(wish: Wish) -> tuple[str, dict[str, object]]:
    """Return the name of the statement that looks at everything that may fit, and its parameters but the time."""
    if wish.queues is None:
        return "fronts", {}
    return "fronts_of", {"queues": array(dict.fromkeys(wish.queues))}


def looked(rows: Iterable[Sequence[Any]], wish: Wish, asked: float) -> Looked:
    """Return what the rows of the statement `fronts` say; `asked` is when, by the monotonic clock."""
    fitting = sorted((row for row in rows if wish.fits(row[0], row[1])), key=lambda row: (row[1], row[0]))
    answered = monotonic()
    good_until = answered + max(GOOD_FOR, COST_SHARE * (answered - asked))
    fronts = Fronts({(queue, priority): (run_at, job_id) for queue, priority, run_at, job_id, _ in fitting}, good_until)
    return Looked(fronts, min((row[2] for row in fitting), default=None), fitting[0][4] if fitting else 0)


class Floors:
    """The fronts that are known, for each wish. To forget all of them, it is replaced by a new one.

    So a claim that began before what it was told is forgotten notes its result where nobody reads it. No lock is
    needed: whoever comes last counts, and where two claims from one store cross, either of their ends will do.
    """

    def __init__(self) -> None:
        self._known: dict[Wish, Fronts] = {}

    def recall(self, wish: Wish) -> Fronts | None:
        """Return the fronts for a wish, unless it is time for a new look."""
        fronts = self._known.get(wish)
        return fronts if fronts is not None and monotonic() < fronts.good_until else None

    def note(self, wish: Wish, fronts: Fronts) -> None:
        """Keep the fronts for a wish."""
        self._known[wish] = fronts

    def drop(self, wish: Wish) -> None:
        """Let the next claim with a wish look at everything."""
        self._known.pop(wish, None)

    def pass_by(self, place: Place, key: Key) -> bool:
        """Say whether some claim would pass by a job at this place, although it fits."""
        known = list(self._known.items())  # empty where nobody claims
        return bool(known) and any(wish.fits(*place) and fronts.has_before(place, key) for wish, fronts in known)
