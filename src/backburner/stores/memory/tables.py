"""What the memory store holds, and the order in which queued jobs come."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import datetime
from heapq import merge
from operator import attrgetter
from typing import Any
from uuid import UUID

from backburner.core.job import Job
from backburner.core.lifecycle import FINISHED_STATES, State
from backburner.core.ports import ClaimRequest, WorkerInfo

NOT_STORED: dict[str, Any] = {"is_duplicate": False, "reader": None, "handle": None, "cached_payload": None}
"""What belongs to a job in a process, not to the job in the store."""

_STORED = tuple(field.name for field in fields(Job) if field.name not in NOT_STORED)
_stored_values = attrgetter(*_STORED)

Place = tuple[datetime, UUID]
"""Where a job stands among those of the same queue and priority."""


def copy_of(job: Job[Any]) -> Job[Any]:
    """Return a job of the same values, without what ties it to a process."""
    twin: Job[Any] = object.__new__(Job)
    for name, value in zip(_STORED, _stored_values(job), strict=True):
        setattr(twin, name, value)
    for name, value in NOT_STORED.items():
        setattr(twin, name, value)
    return twin


class Lines:
    """The queued jobs: one line for each queue and priority, by `run_at` and then by id."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, int], list[Place]] = {}

    def add(self, job: Job[Any]) -> None:
        """Put a job into its line."""
        insort(self._lines.setdefault((job.queue, job.priority), []), (job.run_at, job.id))

    def remove(self, job: Job[Any]) -> None:
        """Take a job out of its line."""
        line = self._lines[job.queue, job.priority]
        del line[bisect_left(line, (job.run_at, job.id))]
        if not line:
            del self._lines[job.queue, job.priority]

    def due(self, request: ClaimRequest, paused: Iterable[str], now: datetime) -> Iterator[UUID]:
        """Yield the ids of the jobs that are due, in the order in which they are to be performed."""
        wanted = sorted(self._wanted(request, paused), key=lambda key: key[1])
        for priority in dict.fromkeys(priority for _, priority in wanted):
            for run_at, job_id in merge(*(self._lines[key] for key in wanted if key[1] == priority)):
                if run_at > now:
                    break
                yield job_id

    def next_due(self, request: ClaimRequest, paused: Iterable[str]) -> datetime | None:
        """Return the smallest `run_at`."""
        return min((self._lines[key][0][0] for key in self._wanted(request, paused)), default=None)

    def _wanted(self, request: ClaimRequest, paused: Iterable[str]) -> Iterator[tuple[str, int]]:
        closed = {*request.exclude, *paused}
        for queue, priority in self._lines:
            if (
                queue not in closed
                and (request.queues is None or queue in request.queues)
                and (request.min_priority is None or priority >= request.min_priority)
                and (request.max_priority is None or priority <= request.max_priority)
            ):
                yield queue, priority


class Tables:
    """All that a store keeps. A job is changed by taking it out, changing it and putting it back."""

    def __init__(self) -> None:
        self.live: dict[UUID, Job[Any]] = {}
        self.finished: dict[UUID, Job[Any]] = {}
        self.queued: Lines = Lines()
        self.paused: set[str] = set()
        self.workers: dict[int, WorkerInfo] = {}
        self.last_worker = 0

    def look_up(self, job_id: UUID) -> Job[Any] | None:
        """Return the job itself, history included; not to be changed and not to be given away."""
        return self.live.get(job_id) or self.finished.get(job_id)

    def put(self, job: Job[Any]) -> None:
        """Put a job where its state belongs."""
        home = self.finished if job.state in FINISHED_STATES else self.live
        home[job.id] = job
        if job.state is State.QUEUED:
            self.queued.add(job)

    def take(self, job_id: UUID) -> Job[Any]:
        """Take a job out."""
        job = self.live.pop(job_id, None) or self.finished.pop(job_id)
        if job.state is State.QUEUED:
            self.queued.remove(job)
        return job
