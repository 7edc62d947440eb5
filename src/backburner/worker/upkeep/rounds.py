"""What a worker asks the store again and again, in one operation: all that an idle one asks."""

from __future__ import annotations

import time
from collections.abc import Callable

from backburner.core.errors import BackburnerError
from backburner.core.parts import Parts
from backburner.worker.claimer import Claimer
from backburner.worker.upkeep.rescue import rescue

EVERY = 5.0
"""Seconds between two rounds, so that a job is rescued at most so long after the lease of its worker ended."""

SHORTEST = 0.01
"""The same, when the worker has no patience at all."""


class Rounds:
    """Says that its worker is alive, rescues what others left behind, and hears of work that nobody told of.

    `sleep_delay` is after how many seconds it is to hear of such work at the latest; `wake` ends the worker's wait.
    """

    def __init__(
        self, claimer: Claimer, parts: Parts, worker: str, sleep_delay: float, wake: Callable[[], None]
    ) -> None:
        self._claimer = claimer
        self._parts = parts
        self._worker = worker
        self._wake = wake
        self._heartbeat = parts.settings.heartbeat.total_seconds()
        self.every = max(min(EVERY, self._heartbeat, sleep_delay), SHORTEST)
        """Seconds between two rounds."""
        self._beat_at = time.monotonic()

    def make(self) -> None:
        """Make one round."""
        now = time.monotonic()
        # In the round that is nearest to the time of the beat.
        beats = now - self._beat_at >= self._heartbeat - self.every / 2
        try:
            is_rescue_needed, has_news = self._claimer.check_in(self._parts.settings.lease, beats=beats)
        except BackburnerError:
            self._claimer.expect_more()
            self._wake()  # to find out as well, and to say so, and when it is over
            raise
        if beats:
            self._beat_at = now
        if has_news:
            self._wake()
        if is_rescue_needed:
            rescue(self._parts.store, self._parts.settings.lease, self._parts.telemetry, self._worker)
