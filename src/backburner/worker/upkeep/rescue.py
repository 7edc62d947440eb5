"""Taking jobs from workers that are not heard of any more."""

from __future__ import annotations

from datetime import timedelta

from backburner.core.ports import Store
from backburner.core.telemetry import JobRescued, Telemetry

EVERY = 5.0
"""Seconds between two looks, so that a job is rescued at most so long after the lease of its worker ended."""


def rescue(store: Store, lease: timedelta, telemetry: Telemetry, worker: str) -> int:
    """Give back the jobs of workers not heard of for `lease`; return how many."""
    jobs = store.run(store.rescue(lease.total_seconds()))
    for job in jobs:
        telemetry.emit(JobRescued(worker, job))
    if jobs:
        store.notify()
    return len(jobs)
