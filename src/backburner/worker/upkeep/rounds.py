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

    While the database was away nobody could beat, so that everybody seems to be lost when it is back. So who was cut
    off from it for so long that this may be, rescues nobody before a lease has passed in which all could beat again.
    """

    def __init__(
        self, claimer: Claimer, parts: Parts, worker: str, sleep_delay: float, wake: Callable[[], None]
    ) -> None:
        self._claimer = claimer
        self._parts = parts
        self._worker = worker
        self._wake = wake
        self._heartbeat = parts.settings.heartbeat.total_seconds()
        self._lease = parts.settings.lease.total_seconds()
        self.every: float = max(min(EVERY, self._heartbeat, sleep_delay), SHORTEST)
        """Seconds between two rounds."""
        self._beat_at = self._answered_at = self._rescues_from = time.monotonic()

    def make(self) -> None:
        """Make one round."""
        now = time.monotonic()
        # In the round that is nearest to the time of the beat.
        beats = now - self._beat_at >= self._heartbeat - self.every / 2
        could_start = self._claimer.lease.may_start
        try:
            is_rescue_needed, has_news = self._claimer.check_in(self._parts.settings.lease, beats=beats)
        except BackburnerError:
            self._claimer.expect_more()
            self._wake()  # to find out as well, and to say so, and when it is over
            raise
        if beats:
            self._beat_at = now
        if has_news or not could_start:
            self._wake()
        self._note_answer(now)
        if is_rescue_needed and now >= self._rescues_from:
            rescue(self._parts.store, self._parts.settings.lease, self._parts.telemetry, self._worker)

    def _note_answer(self, now: float) -> None:
        """Take note that the store answers, and whether it has been away for long."""
        # Others are as late as this one, and their last beat may have been due just when the database went away.
        if now - self._answered_at > (self._lease - self._heartbeat) / 2:
            self._rescues_from = now + self._lease
        self._answered_at = now
