"""What the workloads share: how much is measured, and how jobs are enqueued and drained for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backburner import Backburner
from benchmarks import jobs
from benchmarks.databases.base import Database
from benchmarks.processes import Drained, Order, drain
from benchmarks.targets import Targets

BLOCK = 100_000
"""Jobs in one block of `bulk()`."""

Enqueue = Callable[[Backburner, int], None]


@dataclass(frozen=True, slots=True)
class Bench:
    """A database, and how much is measured there."""

    database: Database
    scale: float
    """1 for the full sizes."""

    @property
    def targets(self) -> Targets:
        """What is to be reached."""
        return self.database.targets

    def size(self, full: int, least: int = 100) -> int:
        """Return how many jobs to use instead of `full`."""
        return max(int(full * self.scale), least)

    def drained(self, count: int, *, enqueue: Enqueue | None = None, **order: Any) -> Drained:
        """Return what a worker does in an empty database, in which so many jobs were enqueued; `order`: see Order."""
        with self.database.fresh() as place:
            (enqueue or enqueue_noops)(place.app, count)
            self.database.settle(place)
            return checked(drain(Order(place.url, **order)), count)


def checked(done: Drained, count: int) -> Drained:
    """Return what was done, if it was as much as there was."""
    if done.jobs != count:
        raise AssertionError(f"expected {count} jobs to be performed, got {done.jobs}")
    return done


def enqueue_noops(app: Backburner, count: int) -> None:
    """Enqueue jobs that do nothing."""
    enqueue_calls(app, count, jobs.noop)


def enqueue_calls(app: Backburner, count: int, function: Any) -> None:
    """Enqueue calls of a function, each with its number."""
    enqueue = app.delay(function)
    for first in range(0, count, BLOCK):
        with app.bulk():
            for number in range(first, min(first + BLOCK, count)):
                enqueue(number)
