"""Blocks that collect jobs, so that they are stored together when the block ends.

A block belongs to one app and to the context (thread or task) that opened it, and to the tasks started inside it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from backburner.core.job import Job

Collected = tuple[Job[Any], object | None]
"""A job that waits for the end of its block, and the connection on which it is to be written then."""


class Batch:
    """The jobs of one block."""

    __slots__ = ("_collected", "_lock", "outer", "owner")

    def __init__(self, owner: object, outer: Batch | None) -> None:
        self.owner = owner
        self.outer = outer
        self._collected: list[Collected] | None = []
        self._lock = threading.Lock()

    def add(self, collected: Iterable[Collected]) -> bool:
        """Keep jobs until the block ends; False when it has ended already, as it may for a task that outlives it."""
        with self._lock:
            if self._collected is None:
                return False
            self._collected.extend(collected)
            return True

    def close(self) -> list[Collected]:
        """End the block and return what was collected."""
        with self._lock:
            collected, self._collected = self._collected, None
            return collected or []


_innermost: ContextVar[Batch | None] = ContextVar("backburner_bulk", default=None)


def collect(owner: object, collected: Iterable[Collected]) -> bool:
    """Keep jobs in the innermost block of this owner; False when we are in none."""
    batch = _innermost.get()
    while batch is not None:
        if batch.owner is owner and batch.add(collected):
            return True
        batch = batch.outer
    return False


@contextmanager
def collecting(owner: object) -> Iterator[Batch]:
    """Open a block; when it raises, what it collected is forgotten."""
    batch = Batch(owner, _innermost.get())
    token = _innermost.set(batch)
    try:
        yield batch
    except BaseException:
        batch.close()
        raise
    finally:
        _innermost.reset(token)
