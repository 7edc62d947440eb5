"""Assertions about enqueued jobs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from backburner.core.codec import Codec
from backburner.core.job import Job
from backburner.testing.described import described
from backburner.testing.expectation import Expectation, expect

SHOWN = 5
"""How many of the nearest jobs a failure shows."""


class Assertions(ABC):
    """What may be asserted wherever jobs can be listed."""

    @property
    @abstractmethod
    def codec(self) -> Codec:
        """The codec that wrote the jobs."""

    @abstractmethod
    def enqueued(self) -> list[Job[Any]]:
        """Return the jobs that wait to be performed, oldest first."""

    def assert_enqueued(
        self,
        target: Any,
        /,
        *args: Any,
        queue: str | None = None,
        priority: int | None = None,
        run_at: datetime | timedelta | float | None = None,
        count: int | None = None,
        **kwargs: Any,
    ) -> Job[Any]:
        """Assert that a job of this target waits, and return the newest one.

        `target` is a function, a bound method (`Mailer.hello`, `user.activate`), a job object (compared by value) or a
        class (its job objects, and calls of its methods). Arguments that are left out may be anything. Records are
        compared by class and key. `run_at` as a timedelta or number of seconds counts from when the job was made.
        `count` is how many such jobs there are to be; without it, one or more.
        """
        options = {"queue": queue, "priority": priority, "run_at": run_at}
        expected = expect(self.codec, target, args, kwargs, options)
        if count is not None and count < 1:
            raise ValueError(f"count: expected 1 or more, got {count!r}; refute_enqueued asserts that there is none")
        jobs = self.enqueued()
        fitting = [job for job in jobs if not expected.misfits(job)]
        if not fitting or (count is not None and len(fitting) != count):
            raise AssertionError(_not_found(expected, count, len(fitting), jobs))
        return fitting[-1]

    def refute_enqueued(
        self,
        target: Any,
        /,
        *args: Any,
        queue: str | None = None,
        priority: int | None = None,
        run_at: datetime | timedelta | float | None = None,
        **kwargs: Any,
    ) -> None:
        """Assert that no such job waits; see `assert_enqueued`."""
        options = {"queue": queue, "priority": priority, "run_at": run_at}
        expected = expect(self.codec, target, args, kwargs, options)
        fitting = [job for job in self.enqueued() if not expected.misfits(job)]
        if fitting:
            lines = [f"expected no job {expected}; found {_number(len(fitting))}:", *map(_line, fitting[:SHOWN])]
            raise AssertionError("\n".join(lines))


def _not_found(expected: Expectation, count: int | None, found: int, jobs: Sequence[Job[Any]]) -> str:
    wanted = "a job" if count is None else _number(count)
    if not jobs:
        return f"expected {wanted} {expected}; nothing is enqueued"
    lines = [f"expected {wanted} {expected}; found {found or 'none'} among {_number(len(jobs))}. The nearest:"]
    for job in _nearest(expected, jobs):
        lines += [_line(job), *(f"    {misfit}" for misfit in expected.misfits(job))]
    return "\n".join(lines)


def _nearest(expected: Expectation, jobs: Sequence[Job[Any]]) -> list[Job[Any]]:
    return sorted(jobs, key=lambda job: (not expected.is_about(job), len(expected.misfits(job))))[:SHOWN]


def _line(job: Job[Any]) -> str:
    return f"  {described(job.handler)}, queue {job.queue!r}, priority {job.priority}, run_at {job.run_at:%F %T}"


def _number(count: int) -> str:
    return f"{count} job{'' if count == 1 else 's'}"
