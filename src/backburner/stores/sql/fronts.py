"""Which queues and priorities have queued jobs, and when the first of each is due."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from backburner.core.ops import Op, Reply
from backburner.core.ports import ClaimRequest
from backburner.core.times import from_micros
from backburner.stores.sql.base import Operations
from backburner.stores.sql.wishes import Wish


class Front(NamedTuple):
    """A queue and priority with queued jobs, and when the first of them is due."""

    queue: str
    priority: int
    run_at: int
    now: int
    """By the clock that decides what is due."""

    @property
    def is_due(self) -> bool:
        return self.run_at <= self.now


class Fronts(Operations):
    """What claiming begins with, and an idle worker looks at."""

    def _fronts(self, request: ClaimRequest) -> Op[list[Front]]:
        names = None if request.queues is None else self._dialect.list_value(dict.fromkeys(request.queues))
        reply: Reply = yield (
            self._statement("fronts", self._moment())
            if names is None
            else self._statement("fronts_of", names, self._moment())
        )
        wish = Wish.of(request)
        return [front for front in map(Front._make, reply.rows) if wish.fits(front.queue, front.priority)]

    def _next_due(self, request: ClaimRequest) -> Op[datetime | None]:
        fronts = yield from self._fronts(request)
        return first_due(fronts)


def first_due(fronts: Iterable[Front]) -> datetime | None:
    """Return when the first job is due."""
    first = min((front.run_at for front in fronts), default=None)
    return None if first is None else from_micros(first)
