"""How attempts end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from backburner.core.job import Place, Progress, progress_to_json
from backburner.core.lifecycle import Move, State
from backburner.core.ops import BEGIN, Op, Reply, Statement, renewable, repeatable
from backburner.core.ports import Settlement, Standing
from backburner.core.times import to_micros
from backburner.stores.sql.base import Operations


class End(NamedTuple):
    """How jobs left the table; many of them leave it alike."""

    lease: int | None
    """What they must be held under; None when nobody may hold them."""
    state: State
    keep: bool
    error: str | None = None
    result: str | None = None


class Settlements(Operations):
    """The part of the `JobStore` port that a worker uses while it holds jobs."""

    @renewable
    def settle(self, settlements: Sequence[Settlement]) -> Op[list[UUID]]:
        if not settlements:
            return []
        yield BEGIN
        lost = yield from self._settle(settlements)
        return lost

    @renewable
    def report_progress(
        self, job_id: UUID, lease: int, progress: Progress | None, place: Place | None = None
    ) -> Op[bool]:
        id_value = self._dialect.id_value(job_id)
        reply: Reply = yield self._statement("report_progress", progress_to_json(progress, place), id_value, lease)
        return bool(reply.changed)

    @repeatable
    def is_cancel_requested(self, job_id: UUID, lease: int) -> Op[bool]:
        reply: Reply = yield self._statement("is_cancel_requested", self._dialect.id_value(job_id), lease)
        return not reply.rows or bool(reply.rows[0][0])

    @repeatable
    def standing(self, held: Sequence[tuple[UUID, int]]) -> Op[Standing]:
        reply: Reply = yield self._statement("standing", self._ids(job_id for job_id, _ in held))
        found = {(self._dialect.to_id(job_id), lease): bool(to_stop) for job_id, lease, to_stop in reply.rows}
        to_stop = [job_id for job_id, lease in held if found.get((job_id, lease))]
        return Standing(to_stop, [job_id for job_id, lease in held if (job_id, lease) not in found])

    def _settle(self, settlements: Sequence[Settlement]) -> Op[list[UUID]]:
        """Apply settlements and return the ids of those that were not; what finished alike is done in one go."""
        finished: dict[End, list[UUID]] = {}
        others = []
        for settlement in settlements:
            if settlement.move is Move.FINISH:
                end = End(settlement.lease, State.SUCCEEDED, settlement.keep, result=settlement.result)
                finished.setdefault(end, []).append(settlement.job_id)
            else:
                others.append(settlement)
        lost: list[UUID] = []
        for end, ids in finished.items():
            lost += yield from self._end(ids, end)
        for settlement in others:
            lost += yield from self._settle_one(settlement)
        return lost

    def _settle_one(self, settlement: Settlement) -> Op[list[UUID]]:
        if settlement.crashed:
            yield self._statement("count_one_crash", self._dialect.id_value(settlement.job_id), settlement.lease)
        stays = self._staying(settlement)
        if stays is not None:
            reply: Reply = yield stays
            if reply.changed:
                return []
        # A retry, snooze or release of a job that was asked to stop comes here too.
        state = State.FAILED if settlement.move is Move.FAIL else State.CANCELLED
        end = End(settlement.lease, state, settlement.keep and state is State.CANCELLED, settlement.error)
        lost = yield from self._end([settlement.job_id], end)
        return lost

    def _staying(self, settlement: Settlement) -> Statement | None:
        """Return the statement of a settlement after which the job is still in the table."""
        held = (self._dialect.id_value(settlement.job_id), settlement.lease)
        run_at = None if settlement.run_at is None else to_micros(settlement.run_at)
        match settlement.move:
            case Move.RETRY | Move.SNOOZE:
                return self._statement("put_back", run_at, int(settlement.move is Move.RETRY), settlement.error, *held)
            case Move.RELEASE:
                return self._statement("put_back", None, 0, None, *held)
            case Move.FAIL if settlement.keep:
                return self._statement("fail", self._moment(), int(settlement.counts), settlement.error, *held)
        return None

    def _end(self, ids: Sequence[UUID], end: End) -> Op[list[UUID]]:
        """Take jobs out of the table, into history if they are kept; return those that were not held any more."""
        id_list = self._ids(ids)
        if end.keep:
            values = (end.state.value, self._moment(), end.error, end.result, id_list, end.lease)
            yield self._statement("keep_held", *values)
        reply: Reply = yield self._statement("drop_held", id_list, end.lease)
        if len(reply.rows) == len(ids):
            return []
        dropped = {self._dialect.to_id(row[0]) for row in reply.rows}
        return [job_id for job_id in ids if job_id not in dropped]
