"""Assertions about enqueued jobs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from backburner.core.codec import Codec
from backburner.core.job import Job
from backburner.testing.described import described
from backburner.testing.expectation import Expectation, expect

Predicate: TypeAlias = Callable[[Any], object]
"""Says whether a value is as expected."""

OPTIONS = ("queue", "priority", "run_at", "tags")
"""What may be said of a job; other keyword arguments are its own."""

SHOWN = 5
"""How many of the nearest jobs a failure shows."""

LEGEND = "The nearest, with - what was expected and + what was enqueued:"


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
        queue: str | Predicate | None = None,
        priority: int | Predicate | None = None,
        run_at: datetime | timedelta | float | Predicate | None = None,
        tags: Sequence[str] | Predicate | None = None,
        count: int | None = None,
        **kwargs: Any,
    ) -> Job[Any]:
        """Assert that a job of this target waits, and return the newest one.

        A target is a function, a bound method (`Mailer.hello`, `user.activate`), a job object (compared by value) or a
        class (its job objects, and calls of its methods). Arguments and options that are left out may be anything, and
        so may be what `unittest.mock.ANY` stands for. A lambda, or `matching(predicate)`, stands for what it says yes
        to. Records are compared by class and key.

        `run_at` as a timedelta or number of seconds counts from when the job was made; `within(…)` is less exact.
        `tags` are some that the job has. `count` is how many such jobs there are to be; without it, one or more. The
        AssertionError shows the nearest jobs, and how each differs. Arguments that do not fit the target are a
        WrongArguments, as where a job is made.
        """
        options = {"queue": queue, "priority": priority, "run_at": run_at, "tags": tags}
        expected = expect(self.codec, target, args, kwargs, options)
        if count is not None and count < 1:
            raise ValueError(f"count: expected 1 or more, got {count!r}; refute_enqueued asserts that there is none")
        jobs = self.enqueued()
        fitting = fitting_among(jobs, expected)
        if not fitting or (count is not None and len(fitting) != count):
            raise AssertionError(_not_found(expected, count, len(fitting), jobs))
        return fitting[-1]

    def refute_enqueued(
        self,
        target: Any,
        /,
        *args: Any,
        queue: str | Predicate | None = None,
        priority: int | Predicate | None = None,
        run_at: datetime | timedelta | float | Predicate | None = None,
        tags: Sequence[str] | Predicate | None = None,
        **kwargs: Any,
    ) -> None:
        """Assert that no such job waits; see `assert_enqueued`."""
        options = {"queue": queue, "priority": priority, "run_at": run_at, "tags": tags}
        expected = expect(self.codec, target, args, kwargs, options)
        fitting = fitting_among(self.enqueued(), expected)
        if fitting:
            lines = [f"expected no job {expected}; found {_number(len(fitting))}:", *map(_line, fitting[:SHOWN])]
            raise AssertionError("\n".join(lines))

    def fitting(self, jobs: Sequence[Job[Any]], target: Any, /, *args: Any, **wanted: Any) -> list[Job[Any]]:
        """Return those of some jobs that `assert_enqueued` would take."""
        options = {name: wanted.pop(name, None) for name in OPTIONS}
        return fitting_among(jobs, expect(self.codec, target, args, wanted, options))


def fitting_among(jobs: Sequence[Job[Any]], expected: Expectation) -> list[Job[Any]]:
    """Return the jobs that are as expected."""
    return [job for job in jobs if not expected.misfits(job)]


def _not_found(expected: Expectation, count: int | None, found: int, jobs: Sequence[Job[Any]]) -> str:
    wanted = "a job" if count is None else _number(count)
    if not jobs:
        return f"expected {wanted} {expected}; nothing is enqueued"
    lines = [f"expected {wanted} {expected}; found {found or 'none'} among {_number(len(jobs))}", LEGEND]
    for job in _nearest(expected, jobs):
        lines += [_line(job), *(f"    {line}" for misfit in expected.misfits(job) for line in misfit.lines)]
    return "\n".join(lines)


def _nearest(expected: Expectation, jobs: Sequence[Job[Any]]) -> list[Job[Any]]:
    return sorted(jobs, key=lambda job: (not expected.is_about(job), len(expected.misfits(job))))[:SHOWN]


def _line(job: Job[Any]) -> str:
    tags = f", tags {', '.join(map(repr, job.tags))}" if job.tags else ""
    run_at = f"{job.run_at:%F %T}"
    return f"  {described(job.handler)}, queue {job.queue!r}, priority {job.priority}, run_at {run_at}{tags}"


def _number(count: int) -> str:
    return f"{count} job{'' if count == 1 else 's'}"
