"""Looking at jobs, queues and workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from backburner.core.job import Job
from backburner.core.lifecycle import FINISHED_STATES, LIVE_STATES, State
from backburner.core.ops import Op, Reply, Statement, repeatable
from backburner.core.ports import JobFilter, QueueInfo, WorkerInfo
from backburner.core.times import from_micros, to_micros
from backburner.stores.sql.base import LOOK, Operations
from backburner.stores.sql.filters import Where, where
from backburner.stores.sql.rows import to_worker


class Table(NamedTuple):
    """One of the two tables that hold jobs."""

    suffix: str
    """Of the names of the statements on it."""
    states: frozenset[State]


JOBS = Table("jobs", LIVE_STATES)
FINISHED = Table("finished", FINISHED_STATES)


class Looking(Operations):
    """The `Insight` port."""

    @repeatable
    def get(self, job_id: UUID) -> Op[Job[Any] | None]:
        # One statement, so that a job that is just leaving one table for the other is found.
        id_value = self._dialect.id_value(job_id)
        reply: Reply = yield self._statement("get", id_value, id_value)
        return self._job(reply.rows[0]) if reply.rows else None

    @repeatable
    def find(
        self, which: JobFilter, *, after: UUID | None = None, limit: int = 100, newest_first: bool = False
    ) -> Op[list[Job[Any]]]:
        yield LOOK
        parts = []
        for table, conditions in self._tables(which):
            if after is not None:
                conditions.add("id < ?" if newest_first else "id > ?", self._dialect.id_value(after))
            parts.append(self._conditional(f"find_{table.suffix}", conditions))
        if not parts:
            return []
        reply: Reply = yield self._page(parts, "DESC" if newest_first else "ASC", limit)
        return self._jobs(reply.rows)

    @repeatable
    def count(self, which: JobFilter) -> Op[int]:
        yield LOOK
        total = 0
        for table, conditions in self._tables(which):
            reply: Reply = yield self._conditional(f"count_{table.suffix}", conditions)
            total += reply.rows[0][0]
        return total

    @repeatable
    def oldest_due(self, which: JobFilter) -> Op[Job[Any] | None]:
        yield LOOK
        conditions = where(which, {State.QUEUED}, self._dialect).add("run_at <= ?", to_micros(self.now()))
        reply: Reply = yield self._conditional("oldest", conditions)
        return self._job(reply.rows[0]) if reply.rows else None

    @repeatable
    def queues(self) -> Op[list[QueueInfo]]:
        yield LOOK
        paused: Reply = yield self._statement("paused_queues")
        found = {name: QueueInfo(name, paused=True) for (name,) in paused.rows}
        counted: Reply = yield self._statement("queue_counts")
        now = to_micros(self.now())
        for name, state, count, first_run_at in counted.rows:
            queue = found.get(name) or QueueInfo(name)
            queue.counts[State(state)] = count
            if first_run_at is not None and first_run_at <= now:
                queue = QueueInfo(name, queue.paused, queue.counts, from_micros(first_run_at))
            found[name] = queue
        return [found[name] for name in sorted(found)]

    @repeatable
    def workers(self) -> Op[list[WorkerInfo]]:
        yield LOOK
        reply: Reply = yield self._statement("workers")
        return [to_worker(row) for row in reply.rows]

    def _page(self, parts: Sequence[Statement], order: str, limit: int) -> Statement:
        """Return the statement for the first jobs, by id, of all that these find together."""
        text = " UNION ALL ".join(part.text for part in parts)
        values = [value for part in parts for value in part.parameters]
        return Statement(f"{text} ORDER BY id {order} LIMIT {self._dialect.mark}", [*values, limit])

    def _tables(self, which: JobFilter) -> Iterator[tuple[Table, Where]]:
        """Yield the tables that may hold such jobs, with the conditions on each."""
        wanted = LIVE_STATES if which.states is None else which.states
        for table in (JOBS, FINISHED):
            if states := wanted & table.states:
                yield table, where(which, None if states == table.states else states, self._dialect)
