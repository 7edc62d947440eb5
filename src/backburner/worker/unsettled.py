"""Settlements that wait to be sent, and those of which nobody knows whether they arrived."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar
from uuid import UUID

from backburner.core.ports import Settlement

T = TypeVar("T")


class Unsettled:
    """How attempts of one worker ended, until the store knows. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._waiting: deque[Settlement] = deque()
        self._doubtful: set[Settlement] = set()
        """Sent, and perhaps applied: the reply never came."""

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, settlement: Settlement) -> None:
        """Keep a settlement until it is sent."""
        self._waiting.append(settlement)

    def take(self) -> list[Settlement]:
        """Take what waits, to send it; `applied` or `put_back` must follow."""
        return emptied(self._waiting)

    @contextmanager
    def taken(self) -> Iterator[list[Settlement]]:
        """Take what waits, and put it back when the block fails."""
        taken = self.take()
        try:
            yield taken
        except BaseException:
            self.put_back(taken)
            raise

    def put_back(self, taken: list[Settlement]) -> None:
        """Note that sending these failed; they may have been applied all the same."""
        self._doubtful.update(taken)
        self._waiting.extendleft(reversed(taken))

    def applied(self, taken: list[Settlement], lost: Iterable[UUID]) -> list[UUID]:
        """Note that these were applied, but for those said to be lost; return which really are.

        Of a settlement that was sent before, the store says so too when it had applied it the first time.
        """
        if not self._doubtful:
            return list(lost)
        doubtful = self._doubtful.intersection(taken)
        self._doubtful -= doubtful
        known = {settlement.job_id for settlement in doubtful}
        return [job_id for job_id in lost if job_id not in known]


def emptied(items: deque[T]) -> list[T]:
    """Empty a deque, to which other threads may add and from which they may take meanwhile."""
    taken = []
    while True:
        try:
            taken.append(items.popleft())
        except IndexError:
            return taken
