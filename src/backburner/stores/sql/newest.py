"""Knowing that a job was never stored before, without asking the database."""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import get_ident

from backburner.core.job import Job

FRESH_FOR_MS = 10_000
"""An id tells when it was made. Who brings one that is older may have got it from another process."""

_MILLIS_SHIFT = 80


class Newest:
    """The newest of the ids that went through one store: they grow, so one that is newer still was never here before.

    Each thread keeps its own: no two of them write the same entry, and no lock can be held at a fork.
    """

    def __init__(self) -> None:
        self._of_thread: dict[int, int] = {}

    def take(self, jobs: Sequence[Job[object]]) -> bool:
        """Note jobs that are about to be stored; say whether none of them can have been stored before."""
        first = last = jobs[0].id.int
        if len(jobs) > 1:
            numbers = [job.id.int for job in jobs]
            first, last = min(numbers), max(numbers)
        newest = max(self._of_thread.values(), default=0)
        if last > newest:
            self._of_thread[get_ident()] = last
        age = time.time_ns() // 1_000_000 - (first >> _MILLIS_SHIFT)
        return first > newest and abs(age) < FRESH_FOR_MS
