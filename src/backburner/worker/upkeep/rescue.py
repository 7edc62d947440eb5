"""Taking jobs from workers that are not heard of any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

from backburner.core import faults
from backburner.core.job import Job
from backburner.core.ops import Op
from backburner.core.ports import Store
from backburner.core.telemetry import JobRescued, Telemetry

Take = Callable[[], Op[list[Job[Any]]]]
"""Makes the operation that takes the next portion: `Store.rescue` or `Store.bury`."""


def rescue(store: Store, lease: timedelta, telemetry: Telemetry, worker: str) -> int:
    """Give back the jobs of workers not heard of for `lease`; return how many."""
    faults.hit("rescuing")
    return take_over(store, partial(store.rescue, lease.total_seconds()), telemetry, worker)


def take_over(store: Store, take: Take, telemetry: Telemetry, name: str) -> int:
    """Take jobs until none is left, and tell of them by the name of who does; return how many."""
    total = 0
    for jobs in portions(store, take):
        faults.hit("rescued")
        for job in jobs:
            telemetry.emit(JobRescued(name, job))
        store.notify()
        total += len(jobs)
    return total


def portions(store: Store, take: Take) -> Iterator[list[Job[Any]]]:
    """Yield what is taken, portion by portion, until nothing is left."""
    return iter(lambda: store.run(take()), [])
