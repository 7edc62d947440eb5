"""Keeps a worker that cannot renew its lease from performing jobs that others may have."""

from __future__ import annotations

from time import monotonic

from backburner.worker.cancels import Cancels
from backburner.worker.claimer import Claimer
from backburner.worker.pulse import Chore


class Fence:
    """A chore for a pulse that never waits for the store, as that is what the others wait for when it is needed."""

    def __init__(self, claimer: Claimer, cancels: Cancels) -> None:
        self._claimer = claimer
        self._cancels = cancels
        self._every = claimer.lease.look_again_after
        self.chore: Chore = Chore("interrupting jobs that others may have", self._look, self._every, 0.0)

    def _look(self) -> None:
        now, ends_at = monotonic(), self._claimer.lease.ends_at
        if ends_at <= now:
            self._claimer.let_go_of_waiting()
            self._cancels.evict_all()
        else:
            self.chore.due = min(ends_at, now + self._every)
