"""The job that is being performed just now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from backburner.core.errors import InvalidState
from backburner.core.job import Job

_current: ContextVar[Job[Any] | None] = ContextVar("backburner_current_job", default=None)


def current_job() -> Job[Any]:
    """Return the job that is being performed by this thread or task.

    Raises InvalidState outside of a job.
    """
    job = running_job()
    if job is None:
        raise InvalidState("expected to be called inside a job, but none is being performed here")
    return job


def running_job() -> Job[Any] | None:
    """Return the job that is being performed by this thread or task; None outside of a job."""
    return _current.get()


@contextmanager
def performing(job: Job[Any]) -> Iterator[None]:
    """Make `current_job()` return this job within the block."""
    token = _current.set(job)
    try:
        yield
    finally:
        _current.reset(token)
