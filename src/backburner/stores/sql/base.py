"""What all operations on SQL share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from backburner.core.ops import Statement
from backburner.core.times import system_now, to_micros
from backburner.stores.sql.dialect import Dialect
from backburner.stores.sql.filters import Where
from backburner.stores.sql.statements import statements_of


class Look(NamedTuple):
    """Open the transaction of this operation as a reading one: it may take long, and writers must not wait for it."""


LOOK = Look()


class Operations:
    """A dialect, its statements, and the clock."""

    def __init__(self, dialect: Dialect, clock: Callable[[], datetime] | None = None) -> None:
        self._dialect = dialect
        self._sql = statements_of(dialect.name)
        self._clock = clock or system_now

    def now(self) -> datetime:
        return self._clock()

    def _micros(self) -> int:
        return to_micros(self._clock())

    def _statement(self, name: str, *parameters: object) -> Statement:
        return Statement(self._sql[name], parameters)

    def _conditional(self, name: str, conditions: Where, *parameters: object) -> Statement:
        """Return a statement with `{conditions}` filled in; their parameters come after the others."""
        text = self._sql[name].replace("{conditions}", str(conditions))
        return Statement(text, (*parameters, *conditions.parameters))

    def _ids(self, ids: Iterable[UUID]) -> object:
        return self._dialect.list_value(map(str, ids))
