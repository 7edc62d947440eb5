"""Waiting for work where nobody tells of it: looking again and again, at intervals that grow until there is some."""

from __future__ import annotations

import random
from time import monotonic

from backburner.stores.watching import LocalWatch, Watches

FIRST_INTERVAL, LONGEST_INTERVAL = 0.02, 0.5
"""Seconds between two looks."""


class Activity:
    """When there was work last, so that there may be more."""

    def __init__(self) -> None:
        self.worked_at: float = 0.0

    def note_work(self) -> None:
        """Note that there was work just now."""
        self.worked_at = monotonic()


class PollingWatch(LocalWatch):
    """Waits until `wake` is called, or for a little while: to look for work is the caller's part."""

    def __init__(self, watches: Watches, activity: Activity) -> None:
        super().__init__(watches)
        self._activity = activity
        self._interval = FIRST_INTERVAL
        self._looked_at = 0.0

    def wait(self, timeout: float) -> bool:
        interval = self._next_interval()
        if timeout <= interval:
            return super().wait(timeout)
        super().wait(interval)
        self._looked_at = monotonic()
        return True

    def _next_interval(self) -> float:
        """Return a longer one each time, until there was work again."""
        if self._activity.worked_at >= self._looked_at:
            self._interval = FIRST_INTERVAL
        else:
            self._interval = min(self._interval * 1.5, LONGEST_INTERVAL)
        return self._interval * random.uniform(0.75, 1.25)  # noqa: S311 # keeps processes apart, hides nothing
