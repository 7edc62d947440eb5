"""Beginning an operation, for stores in whose operations there is nothing to wait for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from backburner.core.ops import Op

T = TypeVar("T")


class Postponed(Generic[T]):
    """An operation that runs when its result is asked for."""

    def __init__(self, run: Callable[[Op[T]], T], op: Op[T]) -> None:
        self._run = run
        self._op = op

    def result(self) -> T:
        """Run the operation and return its value."""
        return self._run(self._op)
