"""Settlements of jobs that succeeded, which travel with the statements that follow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import NamedTuple
from uuid import UUID

from backburner.core.ops import Reply
from backburner.core.ports import Settlement

MOST = 500
"""Settlements in one statement. From a thousand values on, MariaDB makes a table of a list."""


class Part(NamedTuple):
    """Settlements that are applied alike, by id, so that locks are taken in one order."""

    settlements: Sequence[Settlement]
    keep: bool

    @property
    def has_results(self) -> bool:
        """Whether one of these jobs returned something that is to be kept."""
        return self.keep and any(settlement.result is not None for settlement in self.settlements)

    @property
    def leases(self) -> tuple[int, ...]:
        """The leases under which these jobs were claimed."""
        return tuple({settlement.lease for settlement in self.settlements})

    def held(self) -> str:
        """Return the condition that these jobs are held under their leases.

        The ids are part of the text: as parameters, the driver would take longer to escape them than for all the rest.
        """
        conditions = []
        for lease, same in groupby(sorted(self.settlements, key=_lease), key=_lease):
            ids = ",0x".join([settlement.job_id.hex for settlement in same])
            conditions.append(f"(lease = {lease:d} AND job_id IN (0x{ids}))")
        return f"({' OR '.join(conditions)})"

    def lost(self, locking: Reply, which: Reply) -> list[UUID]:
        """Return those that were not held; the replies are those of the first statement and of `which_are_held`."""
        number = locking.rows[0][0] if locking.rows else locking.changed
        if number == len(self.settlements):
            return []
        held = set(json.loads(which.rows[0][0] or "[]"))
        return [each.job_id for each in self.settlements if f"{each.lease} {each.job_id.hex}" not in held]


class Finishing:
    """Settlements of jobs that succeeded, until they are sent, and what became of them."""

    def __init__(self, settlements: Iterable[Settlement] = ()) -> None:
        self._waiting = sorted(settlements, key=lambda settlement: settlement.job_id.int)
        self.lost: list[UUID] = []
        """Those that were not applied, because the lease had been lost."""

    def take(self) -> list[Part]:
        """Return what is to be sent, once."""
        waiting, self._waiting = self._waiting, []
        kept = [settlement for settlement in waiting if settlement.keep]
        dropped = [settlement for settlement in waiting if not settlement.keep]
        return [*_parts(kept, keep=True), *_parts(dropped, keep=False)]


def _parts(settlements: list[Settlement], *, keep: bool) -> Iterator[Part]:
    left = iter(settlements)
    while part := list(islice(left, MOST)):
        yield Part(part, keep)


def _lease(settlement: Settlement) -> int:
    return settlement.lease
