"""Looking at jobs, where being queued and running are rows in tables of their own."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from heapq import merge
from itertools import islice
from typing import Any
from uuid import UUID

from backburner.core.job import Job
from backburner.core.lifecycle import LIVE_STATES, State
from backburner.core.ops import Op, Reply, Statement, repeatable
from backburner.core.ports import JobFilter
from backburner.core.times import to_micros
from backburner.stores.sql.base import LOOK
from backburner.stores.sql.filters import Where, where
from backburner.stores.sql.looking import FINISHED, JOBS, Looking, Table

INDEXED = {State.FAILED, State.BLOCKED}
"""The states of live jobs that have a place in an index; the others are in tables of their own."""


class LookingAtLine(Looking):
    """The `Insight` port."""

    @repeatable
    def find(
        self, which: JobFilter, *, after: UUID | None = None, limit: int = 100, newest_first: bool = False
    ) -> Op[list[Job[Any]]]:
        # One table at a time, each by its own key: together they would be sorted, handlers and all.
        yield LOOK
        order = "DESC" if newest_first else "ASC"
        pages = []
        for table, conditions in self._tables(which):
            if after is not None:
                conditions.add("id < ?" if newest_first else "id > ?", after.bytes)
            part = self._conditional(_finder(table, which), conditions)
            reply: Reply = yield Statement(f"{part.text} ORDER BY id {order} LIMIT %s", [*part.parameters, limit])
            pages.append(self._jobs(reply.rows))
        return list(islice(merge(*pages, key=lambda job: job.id, reverse=newest_first), limit))

    @repeatable
    def oldest_due(self, which: JobFilter) -> Op[Job[Any] | None]:
        yield LOOK
        conditions = Where("%s").add("ready.run_at <= ?", to_micros(self.now()))
        if which.due_before is not None:
            conditions.add("ready.run_at < ?", to_micros(which.due_before))
        if which.priority is not None:
            conditions.add("ready.priority = ?", which.priority)
        if which.queue is not None:
            conditions.add("ready.queue = ?", which.queue)
        _add_exact(conditions, replace(which, queue=None))
        if which.tag is not None:
            conditions.add(self._dialect.has_tag, which.tag)
        reply: Reply = yield self._conditional("oldest", conditions)
        return self._job(reply.rows[0]) if reply.rows else None

    def _tables(self, which: JobFilter) -> Iterator[tuple[Table, Where]]:
        wanted = LIVE_STATES if which.states is None else which.states
        inexact = replace(which, queue=None, name=None)
        live, ended = wanted & JOBS.states, wanted & FINISHED.states
        if which.due_before is not None:  # only who is queued can be due
            live, ended = live & {State.QUEUED}, frozenset()
        if live:
            conditions = where(inexact, None, self._dialect)
            _add_exact(conditions, which)
            if live != JOBS.states:
                conditions.add(are_live(live))
            yield JOBS, conditions
        if ended:
            conditions = where(inexact, None if ended == FINISHED.states else ended, self._dialect)
            _add_exact(conditions, which)
            yield FINISHED, conditions


def _finder(table: Table, which: JobFilter) -> str:
    """Return the name of the statement that finds jobs of a table."""
    wanted = LIVE_STATES if which.states is None else which.states & JOBS.states
    is_indexed = table is JOBS and len(wanted) == 1 and wanted <= INDEXED
    return "find_in_state" if is_indexed else f"find_{table.suffix}"


def are_live(states: Collection[State]) -> str:
    """Return the condition that a job is in one of these states, which do not end it."""
    wanted = set(states)
    parts = []
    if {State.QUEUED, State.RUNNING} <= wanted:
        wanted -= {State.RUNNING}  # these have the same state in the table
    elif State.QUEUED in wanted:
        wanted -= {State.QUEUED}
        parts.append("(state = 'queued' AND job_id IS NULL)")
    elif State.RUNNING in wanted:
        wanted -= {State.RUNNING}
        parts.append("job_id IS NOT NULL")
    if wanted:
        names = ", ".join(sorted(f"'{state.value}'" for state in wanted))
        parts.append(f"state IN ({names})")
    return f"({' OR '.join(parts)})"


def _add_exact(conditions: Where, which: JobFilter) -> None:
    """Compare texts byte for byte: as texts they compare without the spaces at their ends."""
    if which.queue is not None:
        conditions.add("CAST(queue AS BINARY) = ?", which.queue)
    if which.name is not None:
        conditions.add("CAST(name AS BINARY) = ?", which.name)
