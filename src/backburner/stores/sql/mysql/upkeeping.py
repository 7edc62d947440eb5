"""Keeping the tables in order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from backburner.core.job import Job
from backburner.core.ops import BEGIN, Op, Reply, renewable, repeatable
from backburner.core.ports import WorkerInfo
from backburner.core.times import to_micros
from backburner.stores.sql.mysql.changing import Changing
from backburner.stores.sql.mysql.together import Together
from backburner.stores.sql.upkeep import Upkeep


class Upkeeping(Changing, Upkeep):
    """The `Upkeep` port."""

    @renewable
    def register(self, worker: WorkerInfo) -> Op[int]:
        queues = None if worker.queues is None else json.dumps(worker.queues)
        now = self._moment()
        values = (worker.name, worker.host, worker.pid, queues, worker.concurrency, now, now)
        yield BEGIN
        replies: list[Reply] = yield Together(
            [self._statement("register", *values), self._statement("new_number")], ends=True
        )
        return int(replies[1].rows[0][0])

    @repeatable
    def beat(self, worker: int) -> Op[bool]:
        yield BEGIN
        # What was updated is not counted: a row that was so before does not count.
        replies: list[Reply] = yield Together(
            [self._statement("beat", self._moment(), worker), self._statement("is_registered", worker)], ends=True
        )
        return bool(replies[1].rows[0][0])

    @renewable
    def prune(self, finished_before: datetime, limit: int = 500) -> Op[int]:
        yield BEGIN
        found: Reply = yield self._statement("old", to_micros(finished_before), limit)
        ids = self._dialect.list_value(row[0] for row in found.rows)
        if found.rows:
            yield Together([self._statement("delete_finished", ids)], ends=True)
        return len(found.rows)

    def _reread(self, ids: Sequence[UUID]) -> Op[list[Job[Any]]]:
        if not ids:
            return []
        replies: list[Reply] = yield Together([self._statement("get_job", job_id.bytes) for job_id in ids])
        jobs = []
        for job_id, reply in zip(ids, replies, strict=True):
            job = self._job(reply.rows[0]) if reply.rows else (yield from self._existing(job_id))
            jobs.append(job)
        return jobs

    def _crashed(self) -> Op[list[Job[Any]]]:
        orphans: Reply = yield self._statement("orphans")
        if not orphans.rows:
            return []
        held = self._dialect.list_value([job_id.hex(), lease] for job_id, lease in sorted(orphans.rows))
        locked: Reply = yield self._statement("lock_held", held)
        ids = self._dialect.list_value(row[0] for row in locked.rows)
        replies: list[Reply] = yield Together([self._statement("count_crash", ids), self._statement("held_jobs", ids)])
        return self._jobs(replies[1].rows)
