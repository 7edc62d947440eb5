"""Bringing jobs in: one by one, as arrays, or as a copy."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from backburner.core.job import Job
from backburner.core.lifecycle import State
from backburner.core.ops import BEGIN, Copy, Op, Reply, repeatable
from backburner.core.times import MICROSECOND, to_micros
from backburner.stores.sql.claims import Claims
from backburner.stores.sql.names import Names
from backburner.stores.sql.newest import Newest
from backburner.stores.sql.postgres.floors import SLACK
from backburner.stores.sql.postgres.remembering import Remembering
from backburner.stores.sql.postgres.texts import storable
from backburner.stores.sql.rows import Row
from backburner.stores.sql.transactions import Single

COPY_FROM = 200
"""So many jobs are copied faster than they are inserted."""

CHUNK = 2000
"""Jobs in one statement."""

TYPES = ("uuid", "text", "text", "int4", "int8", "int8", "text", "int4", "int4", "int8", "bool", "bool", "text", "text")


class Enqueueing(Remembering, Claims):
    """`enqueue`."""

    def __init__(self, clock: Callable[[], datetime] | None = None, names: Names = Names()) -> None:  # noqa: B008 # a value
        super().__init__(clock, names)
        self._newest = Newest()

    @repeatable
    def enqueue(self, jobs: Sequence[Job[Any]]) -> Op[None]:
        if not jobs:
            return
        is_new = self._newest.take(jobs)
        if is_new and len(jobs) == 1:
            job = jobs[0]
            created_at = to_micros(job.created_at)
            yield self._inserting(job, created_at)
            if job.state is State.QUEUED:
                run_at = created_at if job.run_at is job.created_at else to_micros(job.run_at)
                self._ready(job.queue, job.priority, run_at - (SLACK if self._clock is None else 0), job.id)
            return
        is_stored = False
        if is_new and len(jobs) >= COPY_FROM:
            is_stored = yield from self._copy(jobs)
        if not is_stored:
            yield from self._insert_many(jobs, "insert_jobs" if is_new else "insert_unfinished_jobs")
        self._forget()

    def _inserting(self, job: Job[Any], created_at: int) -> Single:
        """Return the statement that stores a job.

        For the usual kind it has few parameters: each takes the driver and the server as long as a call takes Python.
        """
        is_due = job.run_at is job.created_at and self._clock is None and job.state is State.QUEUED
        is_usual = is_due and job.keep_failed and not (job.attempts or job.discard_missing or job.tags)
        if not is_usual or job.max_run_time is None:
            return Single(self._sql["insert_job"], self._row(job))
        longest = job.max_run_time // MICROSECOND
        usual = job.id, job.name, job.queue, job.priority, created_at, job.max_attempts, longest, job.handler
        return Single(self._sql["insert_usual_job"], usual)

    def _insert_many(self, jobs: Sequence[Job[Any]], name: str) -> Op[None]:
        if len(jobs) > CHUNK:
            yield BEGIN
        for start in range(0, len(jobs), CHUNK):
            rows = map(self._row, jobs[start : start + CHUNK])
            yield self._statement(name, *map(list, zip(*rows, strict=True)))

    def _copy(self, jobs: Sequence[Job[Any]]) -> Op[bool]:
        """Store jobs in bulk; say whether that could be done."""
        reply: Reply = yield self._statement("time", self._moment())
        now = reply.rows[0][0]
        copied: Reply | None = yield Copy(self._sql["copy_jobs"], TYPES, (self._row(job, now) for job in jobs))
        return copied is not None

    def _row(self, job: Job[Any], now: int | None = None) -> Row:
        """Return the columns of a new job.

        For one that is due at once `now` is the database's time; None lets the statement ask for it, a copy cannot.
        """
        created_at = to_micros(job.created_at)
        if job.run_at is not job.created_at:
            run_at: int | None = to_micros(job.run_at)
        else:
            run_at = now if self._clock is None else created_at
        return (
            job.id,
            job.name,
            job.queue,
            job.priority,
            run_at,
            created_at,
            job.state._value_,  # `.value` goes through a descriptor
            job.attempts,
            job.max_attempts,
            None if job.max_run_time is None else job.max_run_time // MICROSECOND,
            job.keep_failed,
            job.discard_missing,
            json.dumps([storable(tag) for tag in job.tags]) if job.tags else None,
            job.handler,
        )
