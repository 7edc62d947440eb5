"""Holding a job fast, so that what is decided about it is still true when it is done."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from backburner.core.job import Job
from backburner.core.lifecycle import Move
from backburner.core.ops import Op, Reply
from backburner.stores.refusals import not_found
from backburner.stores.sql.changes import Changes


class Catching(Changes):
    """What changes a job that people name waits here for those who are just changing it."""

    def _caught(self, job_id: UUID, move: Move | None = None) -> Op[Job[Any]]:  # noqa: ARG002  # as it is declared
        for _ in range(2):  # it may be on its way from one table to the other, and back
            for name in ("lock_job", "lock_finished"):
                reply: Reply = yield self._statement(name, job_id)
                if reply.rows:
                    return self._job(reply.rows[0])
        raise not_found(job_id)
