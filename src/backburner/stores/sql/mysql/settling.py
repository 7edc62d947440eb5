"""How attempts end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from backburner.core.job import Place, Progress, progress_to_json
from backburner.core.lifecycle import Move
from backburner.core.ops import Op, Reply, Statement, renewable
from backburner.core.ports import Settlement
from backburner.core.times import to_micros
from backburner.stores.sql.mysql.dialect import json_list
from backburner.stores.sql.mysql.finishing import Finishing, Part
from backburner.stores.sql.mysql.remembering import Remembering
from backburner.stores.sql.mysql.together import Together
from backburner.stores.sql.settlements import Settlements

BACK = frozenset({Move.RETRY, Move.SNOOZE, Move.RELEASE})


class Settling(Remembering, Settlements):
    """The part of the `JobStore` port that a worker uses while it holds jobs."""

    @renewable
    def report_progress(
        self, job_id: UUID, lease: int, progress: Progress | None, place: Place | None = None
    ) -> Op[bool]:
        held = (job_id.bytes, lease)
        update = self._statement("report_progress", progress_to_json(progress, place), *held)
        # What was updated is not counted: a row that was so before does not count.
        replies: list[Reply] = yield Together([update, self._statement("is_held", *held)])
        return bool(replies[1].rows[0][0])

    def _settle(self, settlements: Sequence[Settlement]) -> Op[list[UUID]]:
        """Apply settlements and return the ids of those that were not."""
        finishing, others = parted(settlements)
        lost = yield from self._settle_others(others)
        yield from self._along(finishing, [])
        return lost + finishing.lost

    def _along(
        self, finishing: Finishing, statements: list[Statement], *, ends: bool = False, is_slow: bool = False
    ) -> Op[list[Reply]]:
        """Apply what succeeded, if that was not done yet, and execute statements, in one round trip."""
        parts = finishing.take()
        applying = [self._applied(part) for part in parts]
        first = [statement for applied in applying for statement in applied]
        if not first and not statements:
            return []
        replies: list[Reply] = yield Together([*first, *statements], ends, is_slow)
        place = 0
        for part, applied in zip(parts, applying, strict=True):
            finishing.lost += part.lost(*replies[place : place + 2])
            place += len(applied)
        return replies[place:]

    def _applied(self, part: Part) -> list[Statement]:
        """Return the statements that lock what is held, keep it as history, and take it out of the tables."""

        def where_held(name: str, *parameters: object) -> Statement:
            return Statement(self._sql[name].replace("{held}", held), parameters)

        held = part.held()
        which = self._statement("which_are_held", len(part.settlements), part.leases)
        drop = where_held("drop_finished_ones")
        if not part.keep:
            return [where_held("lock_finished_ones"), which, drop]
        if not part.has_results:
            return [where_held("keep_succeeded", self._moment()), which, drop]
        rows = json_list([s.job_id.hex, s.lease, s.result] for s in part.settlements)
        return [self._statement("keep_succeeded_with_results", self._moment(), rows), which, drop]

    def _settle_others(self, settlements: Sequence[Settlement]) -> Op[list[UUID]]:
        if not settlements:
            return []
        by_id = sorted(settlements, key=lambda settlement: settlement.job_id)
        look: Reply = yield self._statement("lock_held", _held(by_id))
        held = {self._dialect.to_id(job_id): bool(to_stop) for job_id, to_stop in look.rows}
        back = [s for s in by_id if held.get(s.job_id) is False and s.move in BACK]
        failed = [s for s in by_id if s.job_id in held and s.move is Move.FAIL and s.keep]
        stays = {settlement.job_id for settlement in (*back, *failed)}
        gone = [s for s in by_id if s.job_id in held and s.job_id not in stays]
        if back:
            self._forget()
        crashed = [self._statement("count_one_crash", s.job_id.bytes) for s in by_id if s.crashed and s.job_id in held]
        yield Together([*crashed, *self._put_back(back), *self._failed(failed), *self._gone(gone)])
        return [settlement.job_id for settlement in by_id if settlement.job_id not in held]

    def _put_back(self, settlements: list[Settlement]) -> list[Statement]:
        """Return the statements that make held jobs queued again."""
        changes = [
            self._statement("put_back", _run_at(s), int(s.move is Move.RETRY), s.error, s.job_id.bytes)
            for s in settlements
            if s.move is not Move.RELEASE
        ]
        ids = self._ids(settlement.job_id for settlement in settlements)
        return [*changes, self._statement("join_line", ids), self._statement("let_go", ids)] if settlements else []

    def _failed(self, settlements: list[Settlement]) -> list[Statement]:
        changes = [self._statement("fail", self._moment(), int(s.counts), s.error, s.job_id.bytes) for s in settlements]
        ids = self._ids(settlement.job_id for settlement in settlements)
        return [*changes, self._statement("let_go", ids)] if settlements else []

    def _gone(self, settlements: list[Settlement]) -> list[Statement]:
        """Return the statements that take held jobs out of the table, cancelled ones into history if they are kept.

        A retry, snooze or release of a job that was asked to stop comes here too.
        """
        kept = [
            self._statement("keep_cancelled", self._moment(), s.error, s.job_id.bytes)
            for s in settlements
            if s.keep and s.move is not Move.FAIL
        ]
        return [*kept, self._statement("drop_held", _held(settlements))] if settlements else []


def parted(settlements: Sequence[Settlement]) -> tuple[Finishing, list[Settlement]]:
    """Part those that succeeded from the others."""
    others = [settlement for settlement in settlements if settlement.move is not Move.FINISH]
    return Finishing(settlement for settlement in settlements if settlement.move is Move.FINISH), others


def _held(settlements: Iterable[Settlement]) -> str:
    return json_list([settlement.job_id.hex, settlement.lease] for settlement in settlements)


def _run_at(settlement: Settlement) -> Any:
    return None if settlement.run_at is None else to_micros(settlement.run_at)
