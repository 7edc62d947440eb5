"""Performing jobs in a test, which is told what they raise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from backburner.app import Backburner
from backburner.core.telemetry import JobFailed, JobPutBack, JobRetried, JobStarted, Record, recorded

MOST = 10_000
"""After so many jobs, `drain` takes it that they enqueue each other for ever."""


def drain(app: Backburner, *, raises: bool, limit: int | None) -> tuple[int, int]:
    """Perform what is due; see `Harness.drain`."""
    worker = app.worker()
    successes = failures = 0
    for _ in range(MOST if limit is None else limit):
        with _watching(app, raises=raises) as records:
            succeeded, failed = worker.work_off(limit=1)
        if not any(isinstance(record, JobStarted) for record in records):
            return successes, failures
        successes += succeeded
        failures += failed
    if limit is None:
        raise AssertionError(f"performed {MOST} jobs and there are more: do they enqueue each other for ever?")
    return successes, failures


def perform(app: Backburner, job: Any, *, raises: bool) -> bool:
    """Perform one job; see `Harness.perform`."""
    with _watching(app, raises=raises):
        return app.worker().perform(job)


@contextmanager
def _watching(app: Backburner, *, raises: bool) -> Iterator[list[Record]]:
    """Collect the records of the block; if wanted, raise what a job in it raised."""
    with recorded(app.telemetry) as records:
        yield records
    if raises:
        _raise_first(records)


def _raise_first(records: list[Record]) -> None:
    for record in records:
        if isinstance(record, (JobRetried, JobFailed, JobPutBack)):
            raise record.error
