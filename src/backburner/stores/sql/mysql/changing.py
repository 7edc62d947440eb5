"""What people do with jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from backburner.core.job import Job
from backburner.core.lifecycle import Move, State, may
from backburner.core.ops import BEGIN, Op, Reply, Statement, renewable
from backburner.stores.refusals import not_found, not_possible, still_running
from backburner.stores.sql.changes import Changes
from backburner.stores.sql.filters import Where
from backburner.stores.sql.looking import FINISHED, JOBS, Table
from backburner.stores.sql.mysql.looking import LookingAtLine
from backburner.stores.sql.mysql.settling import Settling
from backburner.stores.sql.mysql.together import Together
from backburner.stores.sql.settlements import End

CHUNK = 500
"""Jobs that are changed at once."""

BEFORE_ALL = b""
"""Smaller than every id."""


class Changing(Settling, LookingAtLine, Changes):
    """The part of the `JobStore` port that is not the workers'."""

    @renewable
    def cancel(self, job_id: UUID) -> Op[Job[Any]]:
        yield BEGIN
        job = yield from self._caught(job_id, Move.CANCEL)
        if job.state is State.RUNNING:
            yield self._statement("ask_to_stop", job_id.bytes)
        else:
            keep = self._statement("keep_cancelled", self._moment(), None, job_id.bytes)
            yield Together([keep, *self._deleted(JOBS, [job_id])])
        job = yield from self._existing(job_id)
        return job

    @renewable
    def requeue(self, job_id: UUID) -> Op[Job[Any]]:
        yield BEGIN
        job = yield from self._caught(job_id, Move.REQUEUE)
        yield Together(self._requeued(_table_of(job), [job_id]))
        job = yield from self._existing(job_id)
        return job

    @renewable
    def delete(self, job_id: UUID) -> Op[Job[Any]]:
        yield BEGIN
        job = yield from self._caught(job_id)
        if job.state is State.RUNNING:
            raise still_running(job_id)
        yield Together(self._deleted(_table_of(job), [job_id]))
        return job

    def resume(self, queue: str) -> Op[None]:
        self._forget()  # whoever has passed by this queue
        return super().resume(queue)

    def _requeue(self, table: Table, conditions: Where) -> Op[int]:
        return self._each(table, conditions, self._requeued)

    def _delete(self, table: Table, conditions: Where) -> Op[int]:
        return self._each(table, conditions, self._deleted)

    def _end(self, ids: Sequence[UUID], end: End) -> Op[list[UUID]]:
        """Take jobs that nobody holds out of the table, not into history."""
        if end.lease is not None or end.keep:
            raise TypeError(f"expected an end without a lease and without history, got {end}")
        if ids:
            yield Together(self._deleted(JOBS, ids))
        return []

    def _each(
        self, table: Table, conditions: Where, changed: Callable[[Table, Sequence[UUID]], list[Statement]]
    ) -> Op[int]:
        """Change all jobs that fit and that nobody holds; return how many."""
        total = 0
        last = BEFORE_ALL
        while True:
            part = self._conditional(f"next_{table.suffix}", conditions, last)
            found: Reply = yield Statement(f"{part.text} LIMIT {CHUNK}", part.parameters)
            ids = yield from self._free(table, [self._dialect.to_id(row[0]) for row in found.rows])
            if ids:
                yield Together(changed(table, ids))
            total += len(ids)
            if len(found.rows) < CHUNK:
                return total
            last = found.rows[-1][0]

    def _free(self, table: Table, ids: Sequence[UUID]) -> Op[list[UUID]]:
        """Lock those of these jobs that nobody holds, take them out of the line and return them."""
        if not ids:
            return []
        wanted = self._ids(ids)
        names = ["lock_finished"] if table is FINISHED else ["lock_jobs", "leave_line", "not_running"]
        replies: list[Reply] = yield Together([self._statement(name, wanted) for name in names])
        return [self._dialect.to_id(row[0]) for row in replies[-1].rows]

    def _requeued(self, table: Table, ids: Sequence[UUID]) -> list[Statement]:
        """Return the statements that make locked jobs queued; they are not in the line."""
        self._forget()
        wanted = self._ids(ids)
        join = self._statement("join_line", wanted)
        if table is FINISHED:
            return [self._statement("requeue_finished", self._moment(), wanted), *self._deleted(table, ids), join]
        return [self._statement("requeue_jobs", wanted, self._moment()), join]

    def _deleted(self, table: Table, ids: Sequence[UUID]) -> list[Statement]:
        return [self._statement(f"delete_{table.suffix}", self._ids(ids))]

    def _caught(self, job_id: UUID, move: Move | None = None) -> Op[Job[Any]]:
        """Return a job that nobody changes until this transaction ends; if it is queued, it has left the line.

        Raises JobNotFound, and InvalidState when it cannot make the move.
        """
        for _ in range(2):  # it may be on its way from history into the table
            replies: list[Reply] = yield Together(
                [
                    self._statement("lock_running", job_id.bytes),
                    self._statement("lock_job", job_id.bytes),
                    self._statement("leave_line", self._ids([job_id])),
                    self._statement("get_job", job_id.bytes),
                    self._statement("get_finished", job_id.bytes),
                ]
            )
            rows = replies[-2].rows or replies[-1].rows
            if rows:
                job = self._job(rows[0])
                if move is not None and not may(move, job.state):
                    raise not_possible(move, job_id, job.state)
                return job
        raise not_found(job_id)


def _table_of(job: Job[Any]) -> Table:
    return JOBS if job.state in JOBS.states else FINISHED
