"""How long a place stays empty after its process has crashed."""

from __future__ import annotations

FIRST, LONGEST = 1.0, 30.0
"""Seconds; doubled each time."""

HEALTHY = 60.0
"""Seconds that a process has to live, for the next crash to be the first again."""


class Backoff:
    """Counts the crashes at one place."""

    def __init__(self) -> None:
        self._wait = FIRST

    def after_crash(self, lived: float) -> float:
        """Return how many seconds to wait, now that a process crashed which had lived for so many."""
        wait = FIRST if lived >= HEALTHY else self._wait
        self._wait = min(wait * 2, LONGEST)
        return wait

    def reset(self) -> None:
        """Note that all is well."""
        self._wait = FIRST
