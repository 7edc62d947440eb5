"""Taking jobs from workers that are not heard of any more."""

from __future__ import annotations

from datetime import timedelta

from backburner.core import faults
from backburner.core.ports import Store
from backburner.core.telemetry import JobRescued, Telemetry


def rescue(store: Store, lease: timedelta, telemetry: Telemetry, worker: str) -> int:
    """Give back the jobs of workers not heard of for `lease`; return how many."""
    total = 0
    faults.hit("rescuing")
    while jobs := store.run(store.rescue(lease.total_seconds())):
        faults.hit("rescued")
        for job in jobs:
            telemetry.emit(JobRescued(worker, job))
        store.notify()
        total += len(jobs)
    return total
