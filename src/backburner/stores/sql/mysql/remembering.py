"""What the operations of one store have in common: it remembers where claims begin."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from backburner.stores.sql.base import Operations
from backburner.stores.sql.mysql.dialect import MYSQL
from backburner.stores.sql.mysql.lines import Key, Lines
from backburner.stores.sql.names import Names
from backburner.stores.sql.polling import Activity
from backburner.stores.sql.wishes import Place


class Remembering(Operations):
    """Keeps the lines. Whatever makes a job ready that a claim might pass by calls `_ready` or `_forget`."""

    def __init__(self, clock: Callable[[], datetime] | None = None, names: Names = Names()) -> None:  # noqa: B008 # a value
        super().__init__(MYSQL, clock, names)
        self._lines = Lines()
        self.activity: Activity = Activity()
        """When a claim found something last."""

    def _forget(self) -> None:
        """Let the next claim look at everything."""
        self._lines = Lines()

    def _ready(self, jobs: Iterable[tuple[Place, Key]]) -> None:
        """Note that these jobs are queued now."""
        if self._lines.would_miss(jobs):
            self._forget()
