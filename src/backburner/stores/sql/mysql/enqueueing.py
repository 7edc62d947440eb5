"""Bringing jobs in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from backburner.core.job import Job
from backburner.core.lifecycle import State
from backburner.core.ops import BEGIN, Op, Reply, Statement, repeatable
from backburner.core.times import to_micros
from backburner.stores.sql.mysql.errors import Duplicate
from backburner.stores.sql.mysql.lines import FOREVER, Key
from backburner.stores.sql.mysql.remembering import Remembering
from backburner.stores.sql.mysql.together import Together
from backburner.stores.sql.newest import Newest
from backburner.stores.sql.rows import Row, new_row
from backburner.stores.sql.wishes import Place

ROWS = 500
"""Jobs that are stored by one statement."""

CHARACTERS = 256_000
"""Of their handlers; a server may take no more than a megabyte at once."""


class Enqueueing(Remembering):
    """`enqueue`."""

    _newest: Newest

    @repeatable
    def enqueue(self, jobs: Sequence[Job[Any]]) -> Op[None]:
        if not jobs:
            return
        different = list({job.id: job for job in reversed(jobs)}.values())[::-1]
        are_new = self._newest.take(different)
        yield BEGIN
        chunks = list(_chunks(different))
        for chunk in chunks:
            yield from self._insert_chunk(chunk, are_new=are_new, ends=chunk is chunks[-1])
        self._ready(map(self._place_in_line, different))

    def _insert_chunk(self, jobs: Sequence[Job[Any]], *, are_new: bool, ends: bool) -> Op[None]:
        if not are_new:
            jobs = yield from self._missing(jobs)
        if not jobs:
            return
        try:
            yield Together(self._inserted(jobs), ends=ends)
        except Duplicate:
            # One by one, because a transaction of the caller's may not see those that are there.
            for job in (yield from self._missing(jobs)):
                with suppress(Duplicate):
                    yield Together(self._inserted([job]))

    def _missing(self, jobs: Sequence[Job[Any]]) -> Op[list[Job[Any]]]:
        """Return those that were never stored."""
        ids = self._ids(job.id for job in jobs)
        reply: Reply = yield self._statement("existing", ids, ids)
        existing = {row[0] for row in reply.rows}
        return [job for job in jobs if job.id.bytes not in existing]

    def _inserted(self, jobs: Sequence[Job[Any]]) -> list[Statement]:
        rows = [self._new_row(job) for job in jobs]
        text = f"{self._sql['insert_jobs']} {', '.join([self._sql['job_values']] * len(rows))}"
        insert = Statement(text, [value for row in rows for value in row])
        if len(rows) == 1:
            return [insert, self._statement("join_line_alone", rows[0][0])]
        return [insert, self._statement("join_line", self._dialect.list_value(row[0] for row in rows))]

    def _new_row(self, job: Job[Any]) -> Row:
        _, name, queue, priority, run_at, *rest = new_row(job)
        return (job.id.bytes, name, queue, priority, None if self._is_due_at_once(job) else run_at, *rest)

    def _is_due_at_once(self, job: Job[Any]) -> bool:
        """Say whether the database is to decide when the job is due: at the time of its own clock."""
        return self._clock is None and job.run_at is job.created_at

    def _place_in_line(self, job: Job[Any]) -> tuple[Place, Key]:
        # What is due at once stands behind all that was due when it was stored.
        at_once = self._is_due_at_once(job) or job.state is State.BLOCKED
        return (job.queue, job.priority), (FOREVER if at_once else to_micros(job.run_at), job.id.bytes)


def _chunks(jobs: Sequence[Job[Any]]) -> Iterator[list[Job[Any]]]:
    chunk: list[Job[Any]] = []
    size = 0
    for job in jobs:
        if chunk and (len(chunk) == ROWS or size + len(job.handler) > CHARACTERS):
            yield chunk
            chunk, size = [], 0
        chunk.append(job)
        size += len(job.handler)
    yield chunk
