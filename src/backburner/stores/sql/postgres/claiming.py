"""Claiming: one statement that settles what succeeded and claims the next jobs, from where the last claim ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import IntEnum
from time import monotonic
from typing import Any, NamedTuple
from uuid import UUID

from backburner.core.ops import BEGIN, Op, Reply, Slow
from backburner.core.ports import UNSEEN, Claimed, ClaimRequest, Settlement
from backburner.core.times import from_micros
from backburner.stores.sql.claims import Claims
from backburner.stores.sql.names import Names
from backburner.stores.sql.postgres.floors import (
    LINES,
    LOOKS,
    MANY_QUEUES,
    Floors,
    Fronts,
    Key,
    Looked,
    Unknown,
    looked,
    looking,
    unknown_front,
)
from backburner.stores.sql.postgres.settling import Settling, kinds_of, succeeded
from backburner.stores.sql.rows import Row
from backburner.stores.sql.wishes import Place, Wish

MOST = 1000
"""Jobs that one statement claims at the most; it stands in claims.sql as well."""

PAUSE = 100_000
"""Microseconds to leave jobs alone that are due and in somebody else's hands."""

_ID, _QUEUE, _PRIORITY, _RUN_AT = 0, 3, 4, 5
_WIDTH = 24
"""The places of these in the columns `live`, and how many columns those are."""


class Stop(IntEnum):
    """Why a statement claimed no more jobs than it did. The numbers stand in claims.sql."""

    END = 0
    """No more were due, from where it began."""
    PART = 1
    """It looked no further."""
    SUSPECT = 2
    """The next is to be claimed alone, because it crashed a worker."""


class Taken(NamedTuple):
    """What one statement claimed."""

    rows: list[Row]
    """In order."""
    lost: list[UUID]
    stop: Stop

    def ends(self) -> dict[Place, Key]:
        """Return the last job of each queue and priority."""
        last = {(row[_QUEUE], row[_PRIORITY]): row for row in self.rows}
        return {place: (row[_RUN_AT], row[_ID]) for place, row in last.items()}


class Claiming(Settling, Claims):
    """`claim`."""

    def __init__(self, clock: Callable[[], datetime] | None = None, names: Names = Names()) -> None:  # noqa: B008 # a value
        super().__init__(clock, names)
        sql = self._sql
        unknown = sql["line_of_unknown_front"]
        lines = {
            **{(claim, line): sql[line] for claim in ("claim", "claim_carefully") for line in LINES},
            **{("claim", unknown_front(look)): unknown.replace("{fronts}", sql[look]) for look in LOOKS},
        }
        self._claims = {
            (claim, name): sql[claim]
            .replace("{succeeded}", sql["succeeded"])
            .replace("{line}", line)
            .replace("{due}", sql["due"])
            for (claim, name), line in lines.items()
        }

    def claim(self, request: ClaimRequest, settlements: Sequence[Settlement] = ()) -> Op[Claimed]:
        try:
            claimed = yield from self._repeat_or_claim(request, settlements)
        except BaseException:
            self._forget()  # what was claimed may not be, after all
            raise
        return claimed

    def _repeat_or_claim(self, request: ClaimRequest, settlements: Sequence[Settlement]) -> Op[Claimed]:
        if request.repeats:
            jobs = yield from self._held_under(request.lease)
            if jobs:
                yield from self.settle(settlements)
                return Claimed(jobs, [], None)
        if request.limit == 0:
            lost = yield from self.settle(settlements)
            return Claimed([], lost, None)
        claimed = yield from self._settle_and_claim(request, settlements)
        return claimed

    def _settle_and_claim(self, request: ClaimRequest, settlements: Sequence[Settlement]) -> Op[Claimed]:
        kinds, lost = kinds_of(settlements), []
        if kinds.others:
            yield BEGIN
            lost = yield from self._settle_others(kinds.others)
        hunt = Hunt(request, kinds.finished, self._floors)
        fronts = hunt.floors.recall(hunt.wish)
        if fronts is None or not (settlements or fronts.begins):
            if not settlements and (yield from self._claim_unseen(hunt)):
                return self._claimed(hunt, None if hunt.is_full else UNSEEN)
            # A look writes nothing, and when nothing is left that is all there is to do.
            look = yield from self._look(hunt)
            fronts = look.fronts
            if not look.has_due:
                lost += yield from self._finish(kinds.finished)
                return Claimed([], lost, _moment(look.first))
        claimed = yield from self._follow(hunt, fronts)
        return claimed._replace(lost=lost + claimed.lost)

    def _claim_unseen(self, hunt: Hunt) -> Op[bool]:
        """Claim from the one front that has jobs, if it is but one; say whether that gave anything.

        A worker that has waited for work is told that there is some. In one statement it is there the sooner.
        """
        taken = yield from self._claim_from(hunt, Unknown(hunt.wish))
        hunt.rows = taken.rows
        return bool(taken.rows)

    def _follow(self, hunt: Hunt, fronts: Fronts) -> Op[Claimed]:
        """Claim until there is enough or nothing is left."""
        while True:
            taken = yield from self._claim_from(hunt, fronts)
            fronts = hunt.note(taken, fronts)
            if hunt.is_full:
                return self._claimed(hunt, None)
            if taken.stop is Stop.PART:
                continue
            if taken.stop is Stop.END and taken.rows and hunt.has_looked:
                # These were all, a moment ago, and need not wait for one more look: there is one with the next claim.
                hunt.floors.drop(hunt.wish)
                return self._claimed(hunt, UNSEEN)
            look = yield from self._look(hunt)
            if taken.stop is Stop.SUSPECT or not look.has_due:
                return self._claimed(hunt, _moment(look.first))
            if hunt.is_careful and not taken.rows:
                return self._claimed(hunt, from_micros(look.now + PAUSE))  # others are just claiming what was seen
            hunt.is_careful = not taken.rows
            fronts = look.fronts

    def _claim_from(self, hunt: Hunt, fronts: Fronts | Unknown) -> Op[Taken]:
        wanted, finished, request = hunt.wanted, hunt.unsettled, hunt.request
        is_careful = hunt.is_careful or fronts.line == MANY_QUEUES
        reply: Reply = yield Slow(
            self._claims["claim_carefully" if is_careful else "claim", fronts.line],
            {
                **succeeded(finished),
                **fronts.parameters(),
                "number": len(finished),
                "wanted": wanted,
                "lease": request.lease,
                "worker": request.worker_name,
                "is_first": not hunt.rows,
                "now": self._moment(),
            },
        )
        return _taken(reply, wanted, finished, is_careful=is_careful)

    def _look(self, hunt: Hunt) -> Op[Looked]:
        """Look at everything, and remember it."""
        asked = monotonic()
        name, parameters = looking(hunt.wish)
        reply: Reply = yield self._named(name, **parameters, now=self._moment())
        look = looked(reply.rows, hunt.wish, asked)
        hunt.floors.note(hunt.wish, look.fronts)
        hunt.has_looked = True
        return look

    def _claimed(self, hunt: Hunt, next_due: datetime | None) -> Claimed:
        return Claimed(self._jobs(hunt.rows), hunt.lost, next_due)


class Hunt:
    """How far one claim has come."""

    def __init__(self, request: ClaimRequest, finished: Sequence[Settlement], floors: Floors) -> None:
        self.request = request
        self.wish: Wish = Wish.of(request)
        self.floors = floors
        self.unsettled: Sequence[Settlement] = finished
        self.rows: list[Row] = []
        self.lost: list[UUID] = []
        self.has_looked = False
        """Whether it began with a look at everything, or came to one."""
        self.is_careful = False
        """Whether the last statement gave nothing although something was due, perhaps because it crashed a worker."""

    @property
    def is_full(self) -> bool:
        return len(self.rows) == self.request.limit

    @property
    def wanted(self) -> int:
        """How many jobs the next statement is asked for."""
        return min(self.request.limit - len(self.rows), MOST)

    def note(self, taken: Taken, fronts: Fronts) -> Fronts:
        """Note what a statement claimed; return where the next one begins."""
        self.rows = sorted([*self.rows, *taken.rows], key=_order) if self.rows else taken.rows
        self.lost += taken.lost
        self.unsettled = ()
        fronts = fronts.after(taken.ends())
        self.floors.note(self.wish, fronts)
        return fronts


def _taken(reply: Reply, wanted: int, finished: Sequence[Settlement], *, is_careful: bool) -> Taken:
    """Return what the rows of a claim say."""
    first = reply.rows[0]
    ended, stop = first[_WIDTH], Stop(first[_WIDTH + 1]) if is_careful else Stop.END
    rows: list[Row] = [row[:_WIDTH] for row in reply.rows if row[_ID] is not None]
    rows.sort(key=_order)
    applied = None if ended is None else set(ended)
    lost = [] if applied is None else [each.job_id for each in finished if each.job_id not in applied]
    return Taken(rows, lost, Stop.PART if len(rows) == wanted else stop)


def _order(row: Row) -> tuple[Any, ...]:
    return row[_PRIORITY], row[_RUN_AT], row[_ID].int


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)
