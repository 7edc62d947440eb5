"""How many jobs are claimed at once."""

from __future__ import annotations

AHEAD = 0.1
"""Seconds of work that a worker may hold ahead of its hands."""

MOST = 250
"""Jobs that are claimed at once at the most; more make a claim hardly cheaper, and a crash dearer."""


class Prefetch:
    """Adapts the size of claims to what the last jobs took; starts with one and at most doubles each time."""

    def __init__(self) -> None:
        self.size: int = 1

    def adapt(self, jobs: int, seconds: float) -> None:
        """Take note that so many jobs took so long in all."""
        if jobs:
            fitting = MOST if seconds * MOST <= AHEAD * jobs else int(AHEAD * jobs / seconds)
            self.size = max(1, min(fitting, self.size * 2, MOST))
