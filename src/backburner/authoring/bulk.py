"""Blocks that collect jobs, so that they are stored together when the block ends.

A block belongs to one app and to the context (thread or task) that opened it, and to the tasks started inside it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from backburner.core.job import Job

Stands = Callable[[], bool]
"""Says whether what was done when it was made still stands: no transaction or savepoint was rolled back since."""

Group = tuple[object | None, list[Job[Any]]]
"""Jobs that wait for the end of their block, and the connection on which they are to be written then."""


class Batch:
    """The jobs of one block."""

    __slots__ = ("_groups", "_lock", "_stands", "outer", "owner")

    def __init__(self, owner: object, outer: Batch | None) -> None:
        self.owner: object = owner
        self.outer: Batch | None = outer
        self._groups: dict[int, Group] | None = {}
        self._stands: list[tuple[Sequence[Job[Any]], Stands]] = []
        self._lock = threading.Lock()

    def add(self, jobs: Sequence[Job[Any]], connection: object | None, stands: Stands | None) -> bool:
        """Keep jobs until the block ends, if they stand then.

        False when it has ended already, as it may for a task that outlives it.
        """
        with self._lock:
            if self._groups is None:
                return False
            group = self._groups.get(id(connection))
            if group is None:
                group = self._groups[id(connection)] = (connection, [])
            group[1].extend(jobs)
            if stands is not None:
                self._stands.append((jobs, stands))
            return True

    def close(self) -> list[Group]:
        """End the block and return what was collected.

        Jobs without a connection come first: they could wait for a lock that the others take until the caller commits.
        """
        with self._lock:
            groups, self._groups = self._groups or {}, None
            if self._stands:
                self._drop_undone(groups)
            return sorted(groups.values(), key=lambda group: group[0] is not None)

    def _drop_undone(self, groups: dict[int, Group]) -> None:
        """Take away the jobs that were made in a transaction, or since a savepoint, that was rolled back."""
        undone = {job.id for jobs, stands in self._stands if not stands() for job in jobs}
        for key, (connection, jobs) in list(groups.items()):
            groups[key] = (connection, [job for job in jobs if job.id not in undone])
            if not groups[key][1]:
                del groups[key]


_innermost: ContextVar[Batch | None] = ContextVar("backburner_bulk", default=None)


def collect(
    owner: object,
    jobs: Sequence[Job[Any]],
    connection: object | None,
    witness: Callable[[object | None], Stands | None],
) -> bool:
    """Keep jobs in the innermost block of this owner; False when we are in none.

    `witness` gives what says later whether what is done now on a connection still stands, if anything can say that.
    """
    batch = _innermost.get()
    while batch is not None:
        if batch.owner is owner and batch.add(jobs, connection, witness(connection)):
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
