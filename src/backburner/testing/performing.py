"""Performing jobs in a test, which is told what they raise.

What is done is written once, for code that blocks and for code that awaits: as a generator that yields the jobs that
are to be performed, and is sent how they ended.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import datetime, timedelta
from typing import Any, TypeAlias, TypedDict, TypeVar
from uuid import UUID

from backburner.core.job import Job
from backburner.core.lifecycle import Move
from backburner.testing.bench import Bench
from backburner.worker.executors.hands import Tally
from backburner.worker.outcome import Count, Outcome

MOST = 10_000
"""After so many jobs, `drain` takes it that they enqueue each other for ever."""

T = TypeVar("T")
Performing: TypeAlias = Generator[Job[Any], Outcome, T]
Wait: TypeAlias = Callable[[datetime | None], bool]
"""Is told when the next job is due, and says whether it has waited for it."""


class Draining(TypedDict, total=False):
    """How far to drain; `Harness.drain` says what these mean."""

    until: datetime | timedelta | float | None
    limit: int | None
    raises: bool
    queue: str | None


class Waiting:
    """Lets time pass, from one job to the next."""

    def __init__(self, now: Callable[[], datetime], end: datetime, travel: Callable[[timedelta], None]) -> None:
        self._now = now
        self._end = end
        self._travel = travel
        self._waited_for: datetime | None = None

    def __call__(self, due: datetime | None) -> bool:
        """Wait until a job is due, or until the end; say whether that job is due now, and was not before."""
        is_next = due is not None and due <= self._end and due != self._waited_for
        self._waited_for = due
        self._travel(max((due if is_next and due is not None else self._end) - self._now(), timedelta(0)))
        return is_next


def never_wait(due: datetime | None) -> bool:  # noqa: ARG001  # whenever that is
    """Perform nothing but what is due."""
    return False


def draining(at: Bench, *, raises: bool, limit: int | None, wait: Wait) -> Performing[tuple[int, int]]:
    """Perform what is due, and what is when `wait` has waited; see `Harness.drain`."""
    tally = Tally()
    while tally.started != limit:
        job = at.claim()
        if job is None:
            if wait(at.next_due):
                continue
            break
        if tally.started == MOST and limit is None:
            raise AssertionError(f"performed {MOST} jobs and there are more: do they enqueue each other for ever?")
        tally.started += 1
        tally.note((yield from _performing(at, job, raises)))
    return tally.successes, tally.failures


def performing_one(at: Bench, job_id: UUID, *, raises: bool) -> Performing[bool]:
    """Perform one job; see `Harness.perform`."""
    outcome = yield from _performing(at, at.claim_one(job_id), raises)
    return outcome.count is Count.SUCCESS


def drive(at: Bench, performing: Performing[T]) -> T:
    """Perform what is yielded in this thread."""
    try:
        job = next(performing)
        while True:
            job = performing.send(at.make(job))
    except StopIteration as stop:
        value: T = stop.value
        return value


async def adrive(at: Bench, performing: Performing[T]) -> T:
    """Perform what is yielded in the event loop that runs."""
    try:
        job = next(performing)
        while True:
            job = performing.send(await at.amake(job))
    except StopIteration as stop:
        value: T = stop.value
        return value


def _performing(at: Bench, job: Job[Any], raises: bool) -> Performing[Outcome]:
    outcome = yield job
    at.settle(outcome)
    if raises and outcome.error is not None and _is_trouble(outcome):
        raise outcome.error
    return outcome


def _is_trouble(outcome: Outcome) -> bool:
    """Say whether a test is to hear of it: the job failed, or its code is not there; not when it snoozed."""
    move, text = outcome.settlement.move, outcome.settlement.error
    return move in (Move.RETRY, Move.FAIL) or (move is Move.SNOOZE and text is not None)
