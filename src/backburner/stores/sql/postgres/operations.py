"""All operations on PostgreSQL: the shared ones, and those whose shape is its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from backburner.core.job import Job
from backburner.core.ops import Op, Reply
from backburner.stores.sql.postgres.claiming import Claiming
from backburner.stores.sql.postgres.days import Days
from backburner.stores.sql.postgres.enqueueing import Enqueueing


class PostgresOperations(Claiming, Enqueueing, Days):
    """The ports of a store, made of the database's clock or another one, and the names of its tables."""

    def _reread(self, ids: Sequence[UUID]) -> Op[list[Job[Any]]]:
        reply: Reply = yield self._statement("get_many", self._ids(ids), self._ids(ids))
        return sorted(self._jobs(reply.rows), key=lambda job: job.id)
