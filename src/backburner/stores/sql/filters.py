"""Which jobs are meant, as a WHERE clause."""

from __future__ import annotations

from collections.abc import Collection

from backburner.core.lifecycle import State
from backburner.core.ports import JobFilter
from backburner.core.times import to_micros
from backburner.stores.sql.dialect import Dialect


class Where:
    """Conditions that must all hold, and their parameters."""

    def __init__(self, mark: str = "?") -> None:
        self._mark = mark
        self._conditions: list[str] = []
        self.parameters: list[object] = []

    def add(self, condition: str, *parameters: object) -> Where:
        """Add a condition; question marks in it stand for its parameters."""
        self._conditions.append(condition.replace("?", self._mark))
        self.parameters += parameters
        return self

    def __str__(self) -> str:
        return " AND ".join(self._conditions) or "1 = 1"


def where(which: JobFilter, states: Collection[State] | None, dialect: Dialect) -> Where:
    """Return the conditions of a filter on jobs in these states; None: in any state."""
    found = Where(dialect.mark)
    if states is not None:
        found.add(_in(states))
    if which.queue is not None:
        found.add("queue = ?", which.queue)
    if which.name is not None:
        found.add("name = ?", which.name)
    if which.priority is not None:
        found.add("priority = ?", which.priority)
    if which.tag is not None:
        found.add(dialect.has_tag, which.tag)
    if which.due_before is not None:
        found.add("state = 'queued' AND run_at < ?", to_micros(which.due_before))
    return found


def _in(states: Collection[State]) -> str:
    # Written out and never bound: a partial index is used only where its condition can be seen. With one state that
    # is `=`, because `IN` with one value does not count as the condition of an index.
    names = sorted(f"'{state.value}'" for state in states)
    return f"state = {names[0]}" if len(names) == 1 else f"state IN ({', '.join(names)})"
