"""What all operations on SQL share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from backburner.core.job import Job
from backburner.core.ops import Frequent, Statement
from backburner.core.times import system_now, to_micros
from backburner.stores.sql.dialect import Dialect
from backburner.stores.sql.filters import Where
from backburner.stores.sql.names import Names
from backburner.stores.sql.rows import Row, to_job
from backburner.stores.sql.statements import statements_of


class Look(NamedTuple):
    """Open the transaction of this operation as a reading one: it may take long, and writers must not wait for it."""


LOOK = Look()


class Operations:
    """A dialect, its statements, and the clock.

    `clock` replaces the clock of the database.
    """

    def __init__(self, dialect: Dialect, clock: Callable[[], datetime] | None = None, names: Names = Names()) -> None:  # noqa: B008 # a value
        self._dialect = dialect
        self._sql = statements_of(dialect, names)
        self._clock = clock

    def now(self) -> datetime:
        return system_now() if self._clock is None else self._clock()

    def _moment(self) -> int | None:
        """Return what a statement gets for the present time: None where the database is to take its own."""
        if self._clock is None and self._dialect.clock is not None:
            return None
        return to_micros(self.now())

    def _statement(self, name: str, *parameters: object) -> Statement:
        return Frequent(self._sql[name], parameters)

    def _conditional(self, name: str, conditions: Where, *parameters: object) -> Statement:
        """Return a statement with `{conditions}` filled in; their parameters come after the others."""
        text = self._sql[name].replace("{conditions}", str(conditions))
        return Statement(text, (*parameters, *conditions.parameters))

    def _ids(self, ids: Iterable[UUID]) -> object:
        return self._dialect.list_value(map(self._dialect.id_value, ids))

    def _job(self, row: Row) -> Job[Any]:
        return to_job(row, self._dialect.to_id)

    def _jobs(self, rows: Iterable[Row]) -> list[Job[Any]]:
        to_id = self._dialect.to_id
        return [to_job(row, to_id) for row in rows]
