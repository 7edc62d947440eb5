"""Looks whether worker processes are well; beats for those that cannot, and kills those that never come back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from backburner.worker.page import Page
from backburner.worker.supervision.liveness import SLACK, is_overdue
from backburner.worker.supervision.places import Place

LONGEST_PAUSE = 5.0
"""Seconds between two looks."""

BLINK = 4
"""How many times this may pass between two looks before the supervisor has been asleep, and knows nothing."""


class Watchman:
    """Looks at the pages of worker processes, now and then.

    Each process beats for itself, as long as it can. For one that shows no pulse the supervisor does, so that a job
    deep in C code, which keeps all of Python from running, is not given to another worker while it runs. Whether such a
    process is to live on is another question: it is killed when its job should have ended long ago; or when it performs
    nothing, as it may still hold jobs that wait.
    """

    def __init__(self, heartbeat: timedelta, lease: timedelta) -> None:
        self._lease = lease.total_seconds()
        self._silence = heartbeat.total_seconds() / 2
        self.every: float = min(LONGEST_PAUSE, self._silence)
        """Seconds between two looks; may be made less."""
        self._looked_at: float | None = None
        self._judges_from = 0.0

    def look(self, places: Iterable[Place], now: float) -> list[Page]:
        """Return the pages of those to beat for, and mark those to be killed by `killed_because`."""
        self._note_sleep(now)
        silent = []
        for place in places:
            since = place.silent_since(now)
            if place.child is None or since is None or place.killed_because is not None:
                continue
            reason = self._reason_to_kill(place.child.page, since, now)
            if reason is not None and now >= self._judges_from:
                place.kill(reason)
            elif now - since >= self._silence:
                silent.append(place.child.page)
        return silent

    def _note_sleep(self, now: float) -> None:
        """Judge nobody right after the machine, or a whole group of processes, stood still."""
        if self._looked_at is not None and now - self._looked_at > BLINK * self.every:
            self._judges_from = now + max(SLACK, self._lease)
        self._looked_at = now

    def _reason_to_kill(self, page: Page, silent_since: float, now: float) -> str | None:
        if is_overdue(page, now):
            return f"a job did not end within {SLACK:g} s after its max_run_time"
        if now - silent_since > self._lease and not page.is_performing:
            return f"it does nothing, and showed no sign of life for {self._lease:g} s"
        return None
