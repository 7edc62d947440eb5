"""Making and claiming jobs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Any, NamedTuple
from uuid import UUID

from backburner.core.job import Job
from backburner.core.lifecycle import Move
from backburner.core.ops import BEGIN, Many, Op, Reply, Statement, renewable, repeatable
from backburner.core.ports import Claimed, ClaimRequest, Settlement
from backburner.stores.refusals import not_possible
from backburner.stores.sql.changes import Changes
from backburner.stores.sql.fronts import Front, Fronts, first_due
from backburner.stores.sql.rows import Row, new_row

CHUNK = 1000
"""Jobs that are stored at once."""


class Key(NamedTuple):
    """Where a due job stands among those of its priority."""

    run_at: int
    id: Any
    crashes: int


class Claims(Changes, Fronts):
    """The part of the `JobStore` port that brings jobs in and gives them out."""

    @repeatable
    def enqueue(self, jobs: Sequence[Job[Any]]) -> Op[None]:
        if len(jobs) == 1:
            # A single statement is a transaction by itself.
            row = new_row(jobs[0])
            yield Statement(self._sql["insert_unfinished_job"], (*row, row[0]))
        elif jobs:
            yield BEGIN
            for start in range(0, len(jobs), CHUNK):
                yield from self._insert([new_row(job) for job in jobs[start : start + CHUNK]])

    def claim(self, request: ClaimRequest, settlements: Sequence[Settlement] = ()) -> Op[Claimed]:
        if request.repeats:
            held = yield from self._held_under(request.lease)
            if held:
                yield from self.settle(settlements)
                return Claimed(held, [], None)
        if request.limit == 0:
            lost = yield from self.settle(settlements)
            return Claimed([], lost, None)
        if not settlements:
            # Who finds nothing to do must not take the write lock: idle workers would hold up those who have work.
            fronts = yield from self._fronts(request)
            if not any(front.is_due for front in fronts):
                return Claimed([], [], first_due(fronts))
        yield BEGIN
        lost = yield from self._settle(settlements)
        fronts = yield from self._fronts(request)
        jobs = yield from self._take(fronts, request)
        if jobs and len(jobs) < request.limit:
            fronts = yield from self._fronts(request)
        return Claimed(jobs, lost, first_due(fronts) if len(jobs) < request.limit else None)

    @renewable
    def claim_one(self, job_id: UUID, lease: int, worker_name: str) -> Op[Job[Any]]:
        yield BEGIN
        id_value = self._dialect.id_value(job_id)
        reply: Reply = yield self._statement("claim_one", lease, worker_name, self._moment(), id_value)
        if reply.rows:
            return self._job(reply.rows[0])
        job = yield from self._existing(job_id)
        raise not_possible(Move.CLAIM, job_id, job.state)

    def _insert(self, rows: list[Row]) -> Op[None]:
        reply: Reply = yield self._statement("has_finished_since", min(row[0] for row in rows))
        if reply.rows[0][0]:
            yield Many(self._sql["insert_unfinished_job"], [(*row, row[0]) for row in rows])
        else:
            yield Many(self._sql["insert_job"], rows)

    def _held_under(self, lease: int) -> Op[list[Job[Any]]]:
        reply: Reply = yield self._statement("held_under", lease)
        return self._jobs(reply.rows)

    def _take(self, fronts: Collection[Front], request: ClaimRequest) -> Op[list[Job[Any]]]:
        keys: list[Key] = []
        for same_priority in _by_priority(front for front in fronts if front.is_due):
            now = same_priority[0].now
            keys += yield from self._due_keys(same_priority, now, request.limit - len(keys))
            if len(keys) == request.limit:
                break
        chosen = _without_suspects(keys)
        if not chosen:
            return []
        ids = self._dialect.list_value(key.id for key in chosen)
        reply: Reply = yield self._statement("claim_jobs", request.lease, request.worker_name, self._moment(), ids)
        place = {key.id: index for index, key in enumerate(chosen)}
        return self._jobs(sorted(reply.rows, key=lambda row: place[row[0]]))

    def _due_keys(self, fronts: Iterable[Front], until: int, limit: int) -> Op[list[Key]]:
        """Merge the queues of one priority."""
        keys: list[Key] = []
        for front in sorted(fronts, key=lambda front: front.run_at):
            if front.run_at > until:
                break
            reply: Reply = yield self._statement("due_keys", front.queue, front.priority, until, limit)
            keys = sorted([*keys, *map(Key._make, reply.rows)])[:limit]
            if len(keys) == limit:
                # Later than the last of these nothing is wanted from the queues that follow.
                until = keys[-1].run_at
        return keys


def _by_priority(fronts: Iterable[Front]) -> Iterator[list[Front]]:
    """Yield the fronts of each priority, the lowest number first."""
    groups: dict[int, list[Front]] = {}
    for front in fronts:
        groups.setdefault(front.priority, []).append(front)
    for priority in sorted(groups):
        yield groups[priority]


def _without_suspects(keys: list[Key]) -> list[Key]:
    """Return the keys to claim: a job that crashed a worker comes alone, and nobody overtakes it."""
    return list(takewhile(lambda key: key.crashes == 0, keys)) or keys[:1]
