"""Which jobs are async, and where each is performed."""

from __future__ import annotations

from typing import Any

from backburner.core.glance import Glance, glance
from backburner.core.job import Job, PayloadReader

MOST_KNOWN = 10_000
"""Pieces of code to be remembered; names come from a database that others may write to."""


class Routes:
    """Remembers which code is async. Every method may be called from any thread."""

    def __init__(self, reader: PayloadReader) -> None:
        self._reader = reader
        self._known: dict[tuple[str, str | None], bool] = {}

    def lead_to_loop(self, job: Job[Any]) -> bool:
        """Say whether a job is known to be async, and nothing that blocks is to be done before it runs.

        To load code may import it, and records are read from a database: that is left to threads.
        """
        seen = glance(job.handler)
        return seen is not None and not seen.reads_records and self._known.get((seen.code, seen.method), False)

    def may_lead_to_loop(self, job: Job[Any]) -> bool:
        """Say whether a job is async or not known yet, so that it pays to load it and to ask `is_async`."""
        seen = glance(job.handler)
        return seen is not None and self._known.get((seen.code, seen.method), True)

    def is_async(self, job: Job[Any]) -> bool:
        """Find out whether a job that was loaded is async."""
        seen = glance(job.handler)
        if seen is None:
            return False
        known = self._known.get((seen.code, seen.method))
        return self._find_out(seen) if known is None else known

    def _find_out(self, seen: Glance) -> bool:
        try:
            answer = self._reader.is_async(seen.code, seen.method)
        except BaseException:
            return False  # whatever is wrong with the code, its attempt finds that too, and keeps it
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[seen.code, seen.method] = answer
        return answer
