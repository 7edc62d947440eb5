"""What the operations of one store have in common: it remembers where claims begin."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from backburner.core.ops import Frequent
from backburner.stores.sql.base import Operations
from backburner.stores.sql.names import Names
from backburner.stores.sql.postgres.dialect import POSTGRES
from backburner.stores.sql.postgres.floors import Floors


class Remembering(Operations):
    """Keeps the floors. Whatever makes a job ready before one of them calls `_ready` or `_forget`.

    So does whatever takes a queue out of them; in other processes it is served until their next look.
    """

    def __init__(self, clock: Callable[[], datetime] | None = None, names: Names = Names()) -> None:  # noqa: B008 # a value
        super().__init__(POSTGRES, clock, names)
        self._names = names
        self._floors = Floors()

    def _named(self, name: str, **parameters: object) -> Frequent:
        """Return a statement whose parameters have names."""
        return Frequent(self._sql[name], parameters)

    def _forget(self) -> None:
        """Let the next claim look at everything."""
        self._floors = Floors()

    def _ready(self, queue: str, priority: int, run_at: int, job_id: UUID) -> None:
        """Note that this job is queued now."""
        if self._floors.pass_by((queue, priority), (run_at, job_id)):
            self._forget()
