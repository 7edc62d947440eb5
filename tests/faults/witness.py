"""Writes down what a store says to the worker that uses it: what was claimed, which settlements were applied."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from backburner.core.ops import Op
from backburner.core.ports import Claimed, ClaimRequest, Pending, Settlement, Store
from backburner.core.times import to_micros
from tests.faults.history import ClaimDetail, History

SETTLED = Claimed([], [], None)


class Asked(NamedTuple):
    """What an operation asks for."""

    settlements: Sequence[Settlement]
    request: ClaimRequest | None = None

    @property
    def is_told_of_all(self) -> bool:
        """Whether the reply says which of the settlements were not applied."""
        return self.request is None or not self.request.repeats


class Witness:
    """Stands between a worker and its store, which it leaves as it is but for three methods of this one object."""

    def __init__(self, store: Store, history: History, seats: int) -> None:
        self._history = history
        self._seats = seats
        self._made: dict[int, tuple[Op[Any], Asked]] = {}
        self._run: Callable[..., Any] = store.run
        self._begin: Callable[[Op[Any]], Pending[Any]] = store.begin
        self._claim: Callable[..., Op[Claimed]] = store.claim
        self._settle: Callable[..., Op[list[UUID]]] = store.settle
        for method in (self.run, self.begin, self.claim, self.settle):
            setattr(store, method.__name__, method)

    def claim(self, request: ClaimRequest, settlements: Sequence[Settlement] = ()) -> Op[Claimed]:
        return self._noted(self._claim(request, settlements), Asked(settlements, request))

    def settle(self, settlements: Sequence[Settlement]) -> Op[list[UUID]]:
        return self._noted(self._settle(settlements), Asked(settlements))

    def run(self, op: Op[Any], connection: object | None = None) -> Any:
        asked = self._take(op)
        if asked is None:
            return self._run(op, connection)
        return self.told(asked, time.monotonic(), lambda: self._run(op, connection))

    def begin(self, op: Op[Any]) -> Pending[Any]:
        asked = self._take(op)
        sent = time.monotonic()
        pending = self._begin(op)
        return pending if asked is None else Awaited(self, asked, sent, pending)

    def told(self, asked: Asked, sent: float, answer: Callable[[], Any]) -> Any:
        """Write down what the answer to an operation says, or that there was none."""
        try:
            value = answer()
        except BaseException:
            self._history.note_all([_settled("unanswered", each, sent) for each in asked.settlements])
            raise
        claimed = value if asked.request else SETTLED._replace(lost=value)
        self._history.note_all([*self._settled(asked, claimed, sent), *self._claimed(asked, claimed, sent)])
        return value

    def _settled(self, asked: Asked, claimed: Claimed, sent: float) -> list[tuple[str, object, int, object]]:
        if not asked.is_told_of_all and claimed.jobs:
            return [_settled("unanswered", each, sent) for each in asked.settlements]
        lost = set(claimed.lost)
        return [_settled("refused" if each.job_id in lost else "applied", each, sent) for each in asked.settlements]

    def _claimed(self, asked: Asked, claimed: Claimed, sent: float) -> list[tuple[str, object, int, object]]:
        if asked.request is None:
            return []
        lease = asked.request.lease
        return [
            ("claimed", job.id, lease, ClaimDetail(self._seats, job.priority, to_micros(job.run_at), index, sent))
            for index, job in enumerate(claimed.jobs)
        ]

    def _noted(self, op: Op[Any], asked: Asked) -> Op[Any]:
        self._made[id(op)] = op, asked
        return op

    def _take(self, op: Op[Any]) -> Asked | None:
        _, asked = self._made.pop(id(op), (op, None))
        return asked


class Awaited(NamedTuple):
    """An operation that was begun, whose answer is written down when it comes."""

    witness: Witness
    asked: Asked
    sent: float
    pending: Pending[Any]

    def result(self) -> Any:
        return self.witness.told(self.asked, self.sent, self.pending.result)


def _settled(kind: str, settlement: Settlement, sent: float) -> tuple[str, object, int, object]:
    return kind, settlement.job_id, settlement.lease, f"{settlement.move.value} {sent:.6f}"
