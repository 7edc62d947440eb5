"""Looking at what is in memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import UUID

from backburner.core.job import Job
from backburner.core.lifecycle import State
from backburner.core.ports import JobFilter, QueueInfo, WorkerInfo, worker_of
from backburner.stores.memory.base import Memory, operation
from backburner.stores.memory.tables import copy_of


class Looking(Memory):
    """The `Insight` port."""

    @operation
    def get(self, job_id: UUID) -> Job[Any] | None:
        job = self._tables.look_up(job_id)
        return job and copy_of(job)

    @operation
    def find(
        self, which: JobFilter, *, after: UUID | None = None, limit: int = 100, newest_first: bool = False
    ) -> list[Job[Any]]:
        found = sorted(self._matching(which), key=lambda job: job.id, reverse=newest_first)
        if after is not None:
            found = [job for job in found if (job.id < after if newest_first else job.id > after)]
        return [copy_of(job) for job in found[:limit]]

    @operation
    def count(self, which: JobFilter) -> int:
        return sum(1 for _ in self._matching(which))

    @operation
    def oldest_due(self, which: JobFilter) -> Job[Any] | None:
        queued = self._matching(replace(which, states=frozenset({State.QUEUED})))
        due = [job for job in queued if job.run_at <= self.now()]
        return copy_of(min(due, key=lambda job: (job.run_at, job.id))) if due else None

    @operation
    def queues(self) -> list[QueueInfo]:
        names = {job.queue for job in self._tables.live.values()} | self._tables.paused
        return [self._queue(name) for name in sorted(names)]

    @operation
    def workers(self) -> list[WorkerInfo]:
        held = Counter(worker_of(job.lease) for job in self._tables.live.values() if job.lease is not None)
        return [replace(worker, running=held[number]) for number, worker in sorted(self._tables.workers.items())]

    def _queue(self, name: str) -> QueueInfo:
        jobs = [job for job in self._tables.live.values() if job.queue == name]
        now = self.now()
        due = [job.run_at for job in jobs if job.state is State.QUEUED and job.run_at <= now]
        counts = dict(Counter(job.state for job in jobs))
        return QueueInfo(name, name in self._tables.paused, counts, min(due, default=None))
