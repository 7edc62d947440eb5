"""Keeping the tables in order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from backburner.core.job import Job
from backburner.core.lifecycle import Move, State
from backburner.core.ops import BEGIN, Op, Reply, renewable, repeatable
from backburner.core.ports import MAX_CRASHES, ClaimRequest, News, Settlement, WorkerInfo, lease_of
from backburner.core.times import MICROSECOND, to_duration, to_micros
from backburner.stores.refusals import lost_workers
from backburner.stores.sql.changes import Changes
from backburner.stores.sql.fronts import Fronts
from backburner.stores.sql.settlements import End


class Upkeep(Changes, Fronts):
    """The `Upkeep` port."""

    @renewable
    def register(self, worker: WorkerInfo) -> Op[int]:
        queues = None if worker.queues is None else json.dumps(worker.queues)
        now = self._moment()
        yield BEGIN
        reply: Reply = yield self._statement(
            "register", worker.name, worker.host, worker.pid, queues, worker.concurrency, now, now
        )
        return int(reply.rows[0][0])

    @repeatable
    def beat(self, worker: int) -> Op[bool]:
        reply: Reply = yield self._statement("beat", self._moment(), worker)
        return bool(reply.changed)

    @repeatable
    def check_in(self, silent_for: float, worker: int | None = None, wanted: ClaimRequest | None = None) -> Op[News]:
        is_known = True
        if worker is not None:
            is_known = yield from self.beat(worker)
        is_rescue_needed = yield from self._is_rescue_needed(silent_for)
        next_due = None
        if wanted is not None:
            next_due = yield from self._next_due(wanted)
        return News(is_known, is_rescue_needed, next_due)

    @renewable
    def retire(self, worker: int) -> Op[int]:
        yield BEGIN
        yield self._statement("strike_off", worker)
        held: Reply = yield self._statement("held_by", lease_of(worker, 0), lease_of(worker + 1, 0) - 1)
        lost = yield from self._settle(
            [Settlement(self._dialect.to_id(job_id), lease, Move.RELEASE) for job_id, lease in held.rows]
        )
        return len(held.rows) - len(lost)

    @renewable
    def rescue(self, silent_for: float) -> Op[list[Job[Any]]]:
        # Looked at first without the write lock: nearly always there is nothing to rescue.
        is_needed = yield from self._is_rescue_needed(silent_for)
        if not is_needed:
            return []
        silence = to_duration(silent_for) // MICROSECOND
        yield BEGIN
        yield self._statement("strike_off_silent", self._moment(), silence)
        jobs = yield from self._rescue_orphans()
        return jobs

    @renewable
    def bury(self, worker: int) -> Op[list[Job[Any]]]:
        yield BEGIN
        yield self._statement("strike_off", worker)
        jobs = yield from self._rescue_orphans()
        return jobs

    def _rescue_orphans(self) -> Op[list[Job[Any]]]:
        """Take every running job whose worker is not registered from it; return them as they are afterwards."""
        jobs = yield from self._crashed()
        yield from self._settle([_settlement_of_lost(job) for job in jobs])
        after = yield from self._reread([job.id for job in jobs])
        given_up = [job.id for job in after if job.state is State.FAILED and not job.keep_failed]
        yield from self._end(given_up, End(None, State.FAILED, keep=False))
        return after

    def _crashed(self) -> Op[list[Job[Any]]]:
        """Count a crash of every running job whose worker is not registered; return these jobs by id."""
        crashed: Reply = yield self._statement("count_crash")
        return sorted(self._jobs(crashed.rows), key=lambda job: job.id)

    @renewable
    def prune(self, finished_before: datetime, limit: int = 500) -> Op[int]:
        yield BEGIN
        reply: Reply = yield self._statement("prune", to_micros(finished_before), limit)
        return int(reply.changed)

    def _reread(self, ids: Sequence[UUID]) -> Op[list[Job[Any]]]:
        jobs = []
        for job_id in ids:
            job = yield from self._existing(job_id)
            jobs.append(job)
        return jobs

    def _is_rescue_needed(self, silent_for: float) -> Op[bool]:
        silence = to_duration(silent_for) // MICROSECOND
        looked: Reply = yield self._statement("is_rescue_needed", self._moment(), silence)
        return bool(looked.rows[0][0])


def _settlement_of_lost(job: Job[Any]) -> Settlement:
    """Return what becomes of a job whose worker was lost; to release one that was asked to stop cancels it."""
    lease = job.lease or 0
    if job.crashes < MAX_CRASHES or job.cancel_requested:
        return Settlement(job.id, lease, Move.RELEASE)
    return Settlement(job.id, lease, Move.FAIL, error=lost_workers(job.crashes, job.locked_by), counts=False)
