"""The one place of a worker that claims and settles.

Settlements wait here and travel with the next claim, in one transaction. What was claimed and not started can be given
back. Every method may be called from any thread.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from backburner.core.job import Job
from backburner.core.lifecycle import Move
from backburner.core.ports import ClaimRequest, Settlement, Store, WorkerInfo, lease_of
from backburner.core.telemetry import LeasesLost, Telemetry

T = TypeVar("T")


class Claimer:
    """Holds what one worker has claimed."""

    def __init__(
        self,
        store: Store,
        info: WorkerInfo,
        request: ClaimRequest,
        telemetry: Telemetry,
        on_waiting: Callable[[], None],
    ) -> None:
        self._store = store
        self._info = info
        self._wanted = request
        self._telemetry = telemetry
        self._on_waiting = on_waiting
        self._lock = threading.Lock()
        self._batches = 0
        self.number: int | None = None
        """The number under which the worker is registered; None before its first claim."""
        self.waiting: deque[Job[Any]] = deque()
        """Claimed and not started, in order."""
        self._settlements: deque[Settlement] = deque()
        self.next_due: datetime | None = None
        """What the last claim that came back short said about the next due time."""

    @property
    def has_unsettled(self) -> bool:
        """Whether settlements wait for the next claim."""
        return bool(self._settlements)

    def claim(self, limit: int) -> int:
        """Settle what waits, claim at most `limit` jobs, and return how many came."""
        with self._lock:
            with self._settling() as settlements:
                claimed = self._store.run(self._store.claim(self._request(limit), settlements))
            self.waiting.extend(claimed.jobs)
            self.next_due = claimed.next_due
        self._tell(claimed.lost)
        if len(claimed.jobs) > 1:
            self._on_waiting()
        return len(claimed.jobs)

    def claim_one(self, job_id: UUID) -> None:
        """Claim this one job. Raises JobNotFound, InvalidState."""
        with self._lock:
            lease = self._next_lease()
            self.waiting.append(self._store.run(self._store.claim_one(job_id, lease, self._info.name)))

    def settle(self, settlement: Settlement) -> None:
        """Keep a settlement until the next claim or flush."""
        self._settlements.append(settlement)

    def flush(self) -> None:
        """Settle what waits, at once."""
        with self._lock, self._settling() as settlements:
            lost = self._store.run(self._store.settle(settlements)) if settlements else []
        self._tell(lost)

    def give_back(self) -> None:
        """Release what was claimed and not started, and settle what waits."""
        for job in _emptied(self.waiting):
            self.settle(Settlement(job.id, job.lease or 0, Move.RELEASE))
        self.flush()

    def beat(self) -> None:
        """Say that the worker is alive. When it was taken for dead, forget what it had not started."""
        number = self.number
        if number is None or self._store.run(self._store.beat(number)):
            return
        with self._lock:
            if self.number == number:
                self.number = None
                lost = [job.id for job in _emptied(self.waiting)]
        self._tell(lost)

    def retire(self) -> None:
        """Settle what waits, give back the rest and strike the worker off."""
        self.give_back()
        with self._lock:
            number, self.number = self.number, None
            if number is not None:
                self._store.run(self._store.retire(number))

    def _register(self) -> int:
        if self.number is None:
            self.number = self._store.run(self._store.register(self._info))
            self._batches = 0
        return self.number

    def _next_lease(self) -> int:
        number = self._register()
        self._batches += 1
        return lease_of(number, self._batches)

    def _request(self, limit: int) -> ClaimRequest:
        return replace(self._wanted, lease=self._next_lease(), worker_name=self._info.name, limit=limit)

    @contextmanager
    def _settling(self) -> Iterator[list[Settlement]]:
        """Take the settlements that wait; put them back when they could not be applied."""
        taken = _emptied(self._settlements)
        try:
            yield taken
        except BaseException:
            self._settlements.extendleft(reversed(taken))
            raise

    def _tell(self, lost: Iterable[UUID]) -> None:
        ids = tuple(lost)
        if ids:
            self._telemetry.emit(LeasesLost(self._info.name, ids))


def _emptied(items: deque[T]) -> list[T]:
    """Empty a deque, to which other threads may add and from which they may take meanwhile."""
    taken = []
    while True:
        try:
            taken.append(items.popleft())
        except IndexError:
            return taken
