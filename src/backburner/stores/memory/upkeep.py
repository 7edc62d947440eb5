"""Keeping the memory store in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from backburner.core.job import Job
from backburner.core.lifecycle import State
from backburner.core.ports import ClaimRequest, News, WorkerInfo, worker_of
from backburner.stores.memory import moves
from backburner.stores.memory.base import Memory, operation
from backburner.stores.memory.tables import copy_of


class Upkeep(Memory):
    """The `Upkeep` port."""

    @operation
    def register(self, worker: WorkerInfo) -> int:
        self._tables.last_worker = number = self._tables.last_worker + 1
        now = self.now()
        self._tables.workers[number] = replace(worker, number=number, started_at=now, beat_at=now, running=0)
        return number

    @operation
    def beat(self, worker: int) -> bool:
        return self._beat(worker)

    @operation
    def check_in(self, silent_for: float, worker: int | None = None, wanted: ClaimRequest | None = None) -> News:
        is_known = worker is None or self._beat(worker)
        next_due = None if wanted is None else self._tables.queued.next_due(wanted, self._tables.paused)
        return News(is_known, self._is_rescue_needed(silent_for), next_due)

    @operation
    def retire(self, worker: int) -> int:
        self._tables.workers.pop(worker, None)
        return len(self._take_from(lambda holder: holder == worker, moves.release))

    @operation
    def rescue(self, silent_for: float) -> list[Job[Any]]:
        for number in self._silent(silent_for):
            del self._tables.workers[number]
        return self._rescue_orphans()

    @operation
    def bury(self, worker: int) -> list[Job[Any]]:
        self._tables.workers.pop(worker, None)
        return self._rescue_orphans()

    @operation
    def prune(self, finished_before: datetime, limit: int = 500) -> int:
        history = self._tables.finished.values()
        old = [job for job in history if job.finished_at and job.finished_at < finished_before]
        chosen = sorted(old, key=lambda job: job.finished_at or finished_before)[:limit]
        for job in chosen:
            self._tables.take(job.id)
        return len(chosen)

    def _beat(self, worker: int) -> bool:
        known = self._tables.workers.get(worker)
        if known is None:
            return False
        self._tables.workers[worker] = replace(known, beat_at=self.now())
        return True

    def _silent(self, silent_for: float) -> list[int]:
        limit = self.now() - timedelta(seconds=silent_for)
        workers = self._tables.workers.items()
        return [number for number, worker in workers if worker.beat_at and worker.beat_at < limit]

    def _is_rescue_needed(self, silent_for: float) -> bool:
        leases = (job.lease for job in self._tables.live.values())
        return bool(self._silent(silent_for)) or any(
            lease is not None and worker_of(lease) not in self._tables.workers for lease in leases
        )

    def _rescue_orphans(self) -> list[Job[Any]]:
        """Rescue the jobs of who is not there, struck off just now or not: one may have claimed when taken for dead."""
        workers = self._tables.workers
        return self._take_from(lambda holder: holder not in workers, moves.rescue)

    def _take_from(self, is_meant: Callable[[int], bool], move: Callable[[Job[Any], datetime], None]) -> list[Job[Any]]:
        """Make this move with every running job whose holder is meant; return the jobs as they are afterwards."""
        held = [
            job.id for job in self._tables.live.values() if job.lease is not None and is_meant(worker_of(job.lease))
        ]
        now = self.now()
        jobs = []
        for job_id in sorted(held):
            job = self._tables.take(job_id)
            move(job, now)
            if job.state is not State.FAILED or job.keep_failed:
                self._tables.put(job)
            jobs.append(copy_of(job))
        return jobs
