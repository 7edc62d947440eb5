"""What all operations of the memory store share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from backburner.core.job import Job
from backburner.core.lifecycle import LIVE_STATES, State
from backburner.core.ops import Op
from backburner.core.ports import JobFilter
from backburner.core.times import system_now
from backburner.stores.memory.tables import Tables
from backburner.stores.refusals import not_found

S = TypeVar("S")
P = ParamSpec("P")
T = TypeVar("T")


def operation(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], Op[T]]:
    """Make a method an operation: nothing happens before it is run, and then all of it happens at once."""

    @wraps(method)
    def later(self: S, /, *args: P.args, **kwargs: P.kwargs) -> Op[T]:
        return method(self, *args, **kwargs)
        yield  # makes this function a generator

    return later


class Memory:
    """The tables, and the clock."""

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self._tables = Tables()
        self._clock = clock or system_now

    def now(self) -> datetime:
        return self._clock()

    def _find(self, job_id: UUID) -> Job[Any]:
        job = self._tables.look_up(job_id)
        if job is None:
            raise not_found(job_id)
        return job

    def _matching(self, which: JobFilter, default: Collection[State] = LIVE_STATES) -> Iterator[Job[Any]]:
        """Yield the jobs that fit, in no order; `default` are the states meant when none is named."""
        states = default if which.states is None else which.states
        for job in (*self._tables.live.values(), *self._tables.finished.values()):
            if job.state in states and _fits(job, which):
                yield job


def _fits(job: Job[Any], which: JobFilter) -> bool:
    return (
        which.queue in (None, job.queue)
        and which.name in (None, job.name)
        and which.priority in (None, job.priority)
        and (which.tag is None or which.tag in job.tags)
        and (which.due_before is None or (job.state is State.QUEUED and job.run_at < which.due_before))
    )
