"""What people do with jobs and queues."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from backburner.core.job import Job
from backburner.core.lifecycle import LIVE_STATES, Move, State, may
from backburner.core.ops import BEGIN, Op, Reply, renewable
from backburner.core.ports import JobFilter
from backburner.stores.refusals import not_found, not_possible, still_running
from backburner.stores.sql.filters import Where
from backburner.stores.sql.looking import FINISHED, JOBS, Looking, Table
from backburner.stores.sql.settlements import End, Settlements


class Changes(Settlements, Looking):
    """The part of the `JobStore` port that is not the workers'."""

    @renewable
    def cancel(self, job_id: UUID) -> Op[Job[Any]]:
        yield BEGIN
        job = yield from self._expect(job_id, Move.CANCEL)
        if job.state is State.RUNNING:
            yield self._statement("ask_to_stop", self._dialect.id_value(job_id))
        else:
            yield from self._end([job_id], End(None, State.CANCELLED, keep=True))
        job = yield from self._existing(job_id)
        return job

    @renewable
    def requeue(self, job_id: UUID) -> Op[Job[Any]]:
        yield BEGIN
        job = yield from self._expect(job_id, Move.REQUEUE)
        yield from self._requeue(_table_of(job), self._with_id(job_id))
        job = yield from self._existing(job_id)
        return job

    @renewable
    def requeue_all(self, which: JobFilter) -> Op[int]:
        yield BEGIN
        total = 0
        wanted = {State.FAILED} if which.states is None else which.states
        possible = frozenset(state for state in wanted if may(Move.REQUEUE, state))
        for table, conditions in self._tables(replace(which, states=possible)):
            total += yield from self._requeue(table, conditions)
        return total

    @renewable
    def delete(self, job_id: UUID) -> Op[Job[Any]]:
        yield BEGIN
        job = yield from self._caught(job_id)
        if job.state is State.RUNNING:
            raise still_running(job_id)
        yield from self._delete(_table_of(job), self._with_id(job_id))
        return job

    @renewable
    def delete_all(self, which: JobFilter) -> Op[int]:
        yield BEGIN
        total = 0
        wanted = LIVE_STATES if which.states is None else which.states
        for table, conditions in self._tables(replace(which, states=wanted - {State.RUNNING})):
            total += yield from self._delete(table, conditions)
        return total

    @renewable
    def pause(self, queue: str) -> Op[None]:
        yield BEGIN
        yield self._statement("pause", queue)

    @renewable
    def resume(self, queue: str) -> Op[None]:
        yield BEGIN
        yield self._statement("resume", queue)

    def _requeue(self, table: Table, conditions: Where) -> Op[int]:
        reply: Reply = yield self._conditional(f"requeue_{table.suffix}", conditions, self._moment())
        if table is FINISHED:
            yield from self._delete(table, conditions)
        return int(reply.changed)

    def _delete(self, table: Table, conditions: Where) -> Op[int]:
        reply: Reply = yield self._conditional(f"delete_{table.suffix}", conditions)
        return int(reply.changed)

    def _with_id(self, job_id: UUID) -> Where:
        return Where(self._dialect.mark).add("id = ?", self._dialect.id_value(job_id))

    def _expect(self, job_id: UUID, move: Move) -> Op[Job[Any]]:
        job = yield from self._caught(job_id)
        if not may(move, job.state):
            raise not_possible(move, job_id, job.state)
        return job

    def _caught(self, job_id: UUID, move: Move | None = None) -> Op[Job[Any]]:  # noqa: ARG002  # for those who lock
        """Return a job that nobody else changes until this transaction ends."""
        return self._existing(job_id)  # whoever has begun to write is alone

    def _existing(self, job_id: UUID) -> Op[Job[Any]]:
        job = yield from self.get(job_id)
        if job is None:
            raise not_found(job_id)
        return job


def _table_of(job: Job[Any]) -> Table:
    return JOBS if job.state in JOBS.states else FINISHED
