"""A worker that notes what its claims send to the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backburner.core.job import Job
from backburner.core.lifecycle import Move
from backburner.core.ops import Op
from backburner.core.ports import Claimed, ClaimRequest, Settlement, Store, WorkerInfo, lease_of
from backburner.stores.sql.transactions import End, is_opening


class Asking:
    """Claims, and settles what it is given as succeeded."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._number = store.run(store.register(WorkerInfo("worker", "host", 1, None, 1)))
        self._batches = 0

    def claim(self, limit: int, ended: Sequence[Job[Any]] = (), **fields: Any) -> tuple[list[Any], Claimed]:
        """Return the commands that were sent, in order, and what came."""
        self._batches += 1
        request = ClaimRequest(lease_of(self._number, self._batches), "worker", limit, **fields)
        settlements = [Settlement(job.id, job.lease or 0, Move.FINISH) for job in ended]
        sent: list[Any] = []
        claimed = self._store.run(noting(self._store.claim(request, settlements), sent))
        return sent, claimed


def noting(op: Op[Claimed], sent: list[Any]) -> Op[Claimed]:
    """Pass the commands of a claim on, and note those that are statements."""
    reply = None
    while True:
        try:
            command = op.send(reply)
        except StopIteration as stop:
            claimed: Claimed = stop.value
            return claimed
        if not is_opening(command) and not isinstance(command, End):
            sent.append(command)
        reply = yield command
