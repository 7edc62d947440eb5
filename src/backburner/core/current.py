"""The job that is being performed just now."""

from __future__ import annotations

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


class performing:  # noqa: N801  # reads like the function that it is; a class costs half of a generator
    """Make `current_job()` return this job within the block."""

    __slots__ = ("_job", "_token")

    def __init__(self, job: Job[Any]) -> None:
        self._job = job

    def __enter__(self) -> None:
        self._token = _current.set(self._job)

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        _current.reset(self._token)
