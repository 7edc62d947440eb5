"""What may differ between SQL databases. A new one answers these questions; the operations are not written again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Dialect:
    """The answers of one database."""

    name: str
    """The folder of its statements and migrations."""
    mark: str
    """What stands in a statement for a parameter."""
    clock: str | None
    """The expression of its own time in microseconds; None: the machine's clock is the database's clock."""
    id_value: Callable[[UUID], object]
    """An id as a parameter."""
    to_id: Callable[[Any], UUID]
    """The id that a row holds."""
    list_value: Callable[[Iterable[Any]], object]
    """Several values as one parameter, for the statements that take several."""
    has_tag: str
    """The condition that a job has the tag which is its one parameter."""
    live_state: str = "state"
    """The expression of the state of a job that has not ended."""

    @property
    def now(self) -> str:
        """What stands in a statement for the present time. Its parameter is a time, or NULL for the database's own."""
        return self.mark if self.clock is None else f"coalesce({self.mark}, {self.clock})"


def _json_array(values: Iterable[Any]) -> str:
    return json.dumps(list(values))


SQLITE = Dialect(
    name="sqlite",
    mark="?",
    clock=None,
    id_value=str,
    to_id=UUID,
    list_value=_json_array,
    has_tag="EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)",
)
