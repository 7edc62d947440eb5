"""How attempts end: many at once, in one statement for each kind of end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from backburner.core.lifecycle import Move
from backburner.core.ops import BEGIN, Op, Reply, renewable
from backburner.core.ports import Settlement
from backburner.core.times import to_micros
from backburner.stores.sql.filters import Where
from backburner.stores.sql.looking import Table
from backburner.stores.sql.postgres.catching import Catching
from backburner.stores.sql.postgres.remembering import Remembering
from backburner.stores.sql.postgres.texts import array, ids, numbers, storable

PUT_BACK = frozenset({Move.RETRY, Move.SNOOZE, Move.RELEASE})


class Kinds(NamedTuple):
    """Settlements by what is to be done, each kind by ascending ids."""

    finished: list[Settlement]
    """To be kept as succeeded."""
    others: list[Settlement]


def kinds_of(settlements: Iterable[Settlement]) -> Kinds:
    """Tell the many that succeeded and are kept from all others."""
    kinds = Kinds([], [])
    for settlement in settlements:
        is_finish = settlement.move is Move.FINISH and settlement.keep
        (kinds.finished if is_finish else kinds.others).append(settlement)
    kinds.finished.sort(key=_place)
    kinds.others.sort(key=_place)
    return kinds


def held(settlements: Sequence[Settlement]) -> dict[str, object]:
    """Return the parameters that say which jobs are held under which leases."""
    return {
        "ids": ids([each.job_id for each in settlements]),
        "leases": numbers([each.lease for each in settlements]),
    }


def succeeded(settlements: Sequence[Settlement]) -> dict[str, object]:
    """Return the parameters for those that succeeded."""
    has_results = any(each.result is not None for each in settlements)
    return {**held(settlements), "results": array(each.result for each in settlements) if has_results else "{}"}


class Settling(Remembering, Catching):
    """The part of the `JobStore` port that a worker uses while it holds jobs, and what puts jobs back in the queue."""

    def settle(self, settlements: Sequence[Settlement]) -> Op[list[UUID]]:
        kinds = kinds_of(settlements)
        if kinds.others:
            yield BEGIN
        lost = yield from self._settle_kinds(kinds)
        return lost

    @renewable
    def pause(self, queue: str) -> Op[None]:
        yield from super().pause(queue)
        self._forget()

    @renewable
    def resume(self, queue: str) -> Op[None]:
        yield from super().resume(queue)
        self._forget()

    def _requeue(self, table: Table, conditions: Where) -> Op[int]:
        number = yield from super()._requeue(table, conditions)
        self._forget()
        return number

    def _settle(self, settlements: Sequence[Settlement]) -> Op[list[UUID]]:
        lost = yield from self._settle_kinds(kinds_of(settlements))
        return lost

    def _settle_kinds(self, kinds: Kinds) -> Op[list[UUID]]:
        lost = yield from self._finish(kinds.finished)
        lost += yield from self._settle_others(kinds.others)
        return lost

    def _finish(self, settlements: Sequence[Settlement]) -> Op[list[UUID]]:
        """Keep these as succeeded; return the ids of those that were not held any more."""
        if not settlements:
            return []
        reply: Reply = yield self._named("finish", **succeeded(settlements), now=self._moment())
        return [each.job_id for each in _left(settlements, reply)]

    def _settle_others(self, settlements: Sequence[Settlement]) -> Op[list[UUID]]:
        """Apply all that is not a success which is kept."""
        crashed = [each for each in settlements if each.crashed]
        if crashed:
            yield self._named("count_crashes", **held(crashed))
        stopped = yield from self._put_back([each for each in settlements if each.move in PUT_BACK])
        ended = [each for each in settlements if each.move not in PUT_BACK]
        lost = yield from self._fail([each for each in ended if each.move is Move.FAIL and each.keep])
        # What could not be put back because it was asked to stop is cancelled. What was lost is lost here as well.
        cancelled = [each for each in ended if each.move is Move.CANCEL] + stopped
        lost += yield from self._call_off(sorted((each for each in cancelled if each.keep), key=_place))
        dropped = [each for each in ended + stopped if not each.keep]
        lost += yield from self._drop(sorted(dropped, key=_place))
        return [each.job_id for each in lost]

    def _put_back(self, settlements: list[Settlement]) -> Op[list[Settlement]]:
        """Queue these again; return those that were not."""
        if not settlements:
            return []
        reply: Reply = yield self._named(
            "put_back",
            **held(settlements),
            times=array(map(_time, settlements)),
            spent=array(int(each.move is Move.RETRY) for each in settlements),
            errors=array(None if each.move is Move.RELEASE else _error(each) for each in settlements),
        )
        for job_id, queue, priority, run_at in reply.rows:
            self._ready(queue, priority, run_at, job_id)
        return _left(settlements, reply)

    def _fail(self, settlements: list[Settlement]) -> Op[list[Settlement]]:
        if not settlements:
            return []
        reply: Reply = yield self._named(
            "fail",
            **held(settlements),
            spent=array(int(each.counts) for each in settlements),
            errors=array(map(_error, settlements)),
            now=self._moment(),
        )
        return _left(settlements, reply)

    def _call_off(self, settlements: list[Settlement]) -> Op[list[Settlement]]:
        if not settlements:
            return []
        errors = array(map(_error, settlements))
        reply: Reply = yield self._named("call_off", **held(settlements), errors=errors, now=self._moment())
        return _left(settlements, reply)

    def _drop(self, settlements: list[Settlement]) -> Op[list[Settlement]]:
        if not settlements:
            return []
        reply: Reply = yield self._named("drop", **held(settlements))
        return _left(settlements, reply)


def _place(settlement: Settlement) -> int:
    return settlement.job_id.int


def _time(settlement: Settlement) -> int | None:
    if settlement.move is Move.RELEASE or settlement.run_at is None:
        return None
    return to_micros(settlement.run_at)


def _error(settlement: Settlement) -> str | None:
    return None if settlement.error is None else storable(settlement.error)


def _left(settlements: Sequence[Settlement], reply: Reply) -> list[Settlement]:
    """Return the settlements that were not applied; the rows of the reply begin with the ids of those that were."""
    if len(reply.rows) == len(settlements):
        return []
    applied: set[Any] = {row[0] for row in reply.rows}
    return [each for each in settlements if each.job_id not in applied]
