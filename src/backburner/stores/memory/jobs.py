"""Making, claiming and settling jobs in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice, takewhile
from typing import Any
from uuid import UUID

from backburner.core.job import Job, Place, Progress
from backburner.core.lifecycle import Move, State, may
from backburner.core.ports import Claimed, ClaimRequest, JobFilter, Settlement, Standing
from backburner.stores.memory import moves
from backburner.stores.memory.base import Memory, operation
from backburner.stores.memory.tables import copy_of
from backburner.stores.refusals import not_possible, still_running


class Jobs(Memory):
    """The `JobStore` port."""

    @operation
    def enqueue(self, jobs: Sequence[Job[Any]]) -> None:
        drafts = [copy_of(job) for job in jobs]
        for draft in drafts:
            draft.run_at, draft.created_at = draft.run_at.astimezone(UTC), draft.created_at.astimezone(UTC)
        for draft in drafts:
            if self._tables.look_up(draft.id) is None:
                self._tables.put(draft)

    @operation
    def claim(self, request: ClaimRequest, settlements: Sequence[Settlement] = ()) -> Claimed:
        now = self.now()
        lost = self._settle(settlements, now)
        if request.repeats and (held := self._held_under(request.lease)):
            return Claimed(held, [], None)
        jobs = [self._claim(job_id, request.lease, request.worker_name, now) for job_id in self._next(request, now)]
        short = len(jobs) < request.limit
        return Claimed(jobs, lost, self._tables.queued.next_due(request, self._tables.paused) if short else None)

    @operation
    def claim_one(self, job_id: UUID, lease: int, worker_name: str) -> Job[Any]:
        self._expect(job_id, Move.CLAIM)
        return self._claim(job_id, lease, worker_name, self.now())

    @operation
    def settle(self, settlements: Sequence[Settlement]) -> list[UUID]:
        return self._settle(settlements, self.now())

    @operation
    def report_progress(self, job_id: UUID, lease: int, progress: Progress | None, place: Place | None = None) -> bool:
        if not self._holds(job_id, lease):
            return False
        self._tables.live[job_id].progress, self._tables.live[job_id].place = progress, place
        return True

    @operation
    def is_cancel_requested(self, job_id: UUID, lease: int) -> bool:
        return not self._holds(job_id, lease) or self._tables.live[job_id].cancel_requested

    @operation
    def standing(self, held: Sequence[tuple[UUID, int]]) -> Standing:
        holding = [job_id for job_id, lease in held if self._holds(job_id, lease)]
        to_stop = [job_id for job_id in holding if self._tables.live[job_id].cancel_requested]
        return Standing(to_stop, [job_id for job_id, _ in held if job_id not in holding])

    @operation
    def cancel(self, job_id: UUID) -> Job[Any]:
        self._expect(job_id, Move.CANCEL)
        job = self._tables.take(job_id)
        if job.state is State.RUNNING:
            job.cancel_requested = True
        else:
            moves.cancel(job, self.now())
        self._tables.put(job)
        return copy_of(job)

    @operation
    def requeue(self, job_id: UUID) -> Job[Any]:
        self._expect(job_id, Move.REQUEUE)
        return copy_of(self._requeue(job_id))

    @operation
    def requeue_all(self, which: JobFilter) -> int:
        found = self._matching(which, default={State.FAILED})
        chosen = [job.id for job in found if may(Move.REQUEUE, job.state)]
        for job_id in chosen:
            self._requeue(job_id)
        return len(chosen)

    @operation
    def delete(self, job_id: UUID) -> Job[Any]:
        job = self._find(job_id)
        if job.state is State.RUNNING:
            raise still_running(job_id)
        return copy_of(self._tables.take(job_id))

    @operation
    def delete_all(self, which: JobFilter) -> int:
        chosen = [job.id for job in self._matching(which) if job.state is not State.RUNNING]
        for job_id in chosen:
            self._tables.take(job_id)
        return len(chosen)

    @operation
    def pause(self, queue: str) -> None:
        self._tables.paused.add(queue)

    @operation
    def resume(self, queue: str) -> None:
        self._tables.paused.discard(queue)

    def _next(self, request: ClaimRequest, now: datetime) -> list[UUID]:
        """Return the ids to be claimed: a job that crashed a worker comes alone, and nobody overtakes it."""
        due = self._tables.queued.due(request, self._tables.paused, now)
        first = list(islice(due, request.limit))
        unsuspected = list(takewhile(lambda job_id: self._tables.live[job_id].crashes == 0, first))
        return unsuspected or first[:1]

    def _held_under(self, lease: int) -> list[Job[Any]]:
        held = [copy_of(job) for job in self._tables.live.values() if job.lease == lease]
        return sorted(held, key=lambda job: (job.priority, job.run_at, job.id))

    def _claim(self, job_id: UUID, lease: int, worker_name: str, now: datetime) -> Job[Any]:
        job = self._tables.take(job_id)
        moves.claim(job, lease, worker_name, now)
        self._tables.put(job)
        return copy_of(job)

    def _settle(self, settlements: Sequence[Settlement], now: datetime) -> list[UUID]:
        return [each.job_id for each in settlements if not self._settle_one(each, now)]

    def _settle_one(self, settlement: Settlement, now: datetime) -> bool:
        if not self._holds(settlement.job_id, settlement.lease):
            return False
        job = self._tables.take(settlement.job_id)
        moves.settle(job, settlement, now)
        if job.state is State.QUEUED or settlement.keep:
            self._tables.put(job)
        return True

    def _requeue(self, job_id: UUID) -> Job[Any]:
        job = self._tables.take(job_id)
        moves.requeue(job, self.now())
        self._tables.put(job)
        return job

    def _holds(self, job_id: UUID, lease: int) -> bool:
        job = self._tables.live.get(job_id)
        return job is not None and job.lease == lease

    def _expect(self, job_id: UUID, move: Move) -> None:
        state = self._find(job_id).state
        if not may(move, state):
            raise not_possible(move, job_id, state)
