"""Keeping the tables in order: what an idle worker asks, and rescue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from backburner.core.job import Job
from backburner.core.ops import Op, Reply, Statement, repeatable
from backburner.core.ports import ClaimRequest, News
from backburner.core.times import MICROSECOND, from_micros, to_duration
from backburner.stores.sql.postgres.floors import looking
from backburner.stores.sql.postgres.settling import Settling
from backburner.stores.sql.upkeep import Upkeep
from backburner.stores.sql.wishes import Wish


class Keeping(Settling, Upkeep):
    """The part of the `Upkeep` port that has to do with workers."""

    @repeatable
    def check_in(self, silent_for: float, worker: int | None = None, wanted: ClaimRequest | None = None) -> Op[News]:
        wish = None if wanted is None else Wish.of(wanted)
        name, parameters = ("no_fronts", {}) if wish is None else looking(wish)
        text = self._sql["check_in"].replace("{rescue}", self._sql["is_rescue_needed"])
        reply: Reply = yield Statement(
            text.replace("{fronts}", self._sql[name]),
            {**parameters, "worker": worker, "silence": _micros(silent_for), "now": self._moment()},
        )
        has_beaten, is_rescue_needed = reply.rows[0][:2]
        times = [row[4] for row in reply.rows if wish and row[2] is not None and wish.fits(row[2], row[3])]
        next_due = from_micros(min(times)) if times else None
        return News(worker is None or has_beaten, is_rescue_needed, next_due)

    def _is_rescue_needed(self, silent_for: float) -> Op[bool]:
        values = {"worker": None, "silence": _micros(silent_for), "now": self._moment()}
        reply: Reply = yield self._named("is_rescue_needed", **values)
        return bool(reply.rows[0][0])

    def _reread(self, ids: Sequence[UUID]) -> Op[list[Job[Any]]]:
        reply: Reply = yield self._statement("get_many", self._ids(ids), self._ids(ids))
        return sorted(self._jobs(reply.rows), key=lambda job: job.id)


def _micros(seconds: float) -> int:
    return to_duration(seconds) // MICROSECOND
