"""Blocks that collect jobs, so that they are stored together when the block ends.

A block belongs to one app and to the context (thread or task) that opened it, and to the tasks started inside it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from backburner.core.job import Job

Group = tuple[object | None, list[Job[Any]]]
"""Jobs that wait for the end of their block, and the connection on which they are to be written then."""


class Batch:
    """The jobs of one block."""

    __slots__ = ("_groups", "_lock", "outer", "owner")

    def __init__(self, owner: object, outer: Batch | None) -> None:
        self.owner = owner
        self.outer = outer
        self._groups: dict[int, Group] | None = {}
        self._lock = threading.Lock()

    def add(self, jobs: Sequence[Job[Any]], connection: object | None) -> bool:
        """Keep jobs until the block ends; False when it has ended already, as it may for a task that outlives it."""
        with self._lock:
            if self._groups is None:
                return False
            group = self._groups.get(id(connection))
            if group is None:
                group = self._groups[id(connection)] = (connection, [])
            group[1].extend(jobs)
            return True

    def close(self) -> list[Group]:
        """End the block and return what was collected.

        Jobs without a connection come first: they could wait for a lock that the others take until the caller commits.
        """
        with self._lock:
            groups, self._groups = self._groups or {}, None
            return sorted(groups.values(), key=lambda group: group[0] is not None)


_innermost: ContextVar[Batch | None] = ContextVar("backburner_bulk", default=None)


def collect(owner: object, jobs: Sequence[Job[Any]], connection: object | None) -> bool:
    """Keep jobs in the innermost block of this owner; False when we are in none."""
    batch = _innermost.get()
    while batch is not None:
        if batch.owner is owner and batch.add(jobs, connection):
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
