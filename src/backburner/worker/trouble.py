"""What a worker does while its store cannot be used: say so once, and try again, ever more patiently."""

from __future__ import annotations

import random

from backburner.core.errors import BackburnerError
from backburner.core.ports import Watch
from backburner.core.telemetry import StoreRecovered, StoreTroubled, Telemetry

FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0
"""Seconds; doubled each time, and spread at random so that many workers do not come back at once."""


class Trouble:
    """Keeps whether the store is in trouble."""

    def __init__(self, worker: str, telemetry: Telemetry) -> None:
        self._worker = worker
        self._telemetry = telemetry
        self._wait = FIRST_WAIT
        self.is_on = False

    def begin(self, doing: str, error: BackburnerError) -> None:
        """Note that the store failed."""
        if not self.is_on:
            self.is_on = True
            self._telemetry.emit(StoreTroubled(self._worker, doing, error))

    def end(self) -> None:
        """Note that the store answered."""
        if self.is_on:
            self.is_on = False
            self._wait = FIRST_WAIT
            self._telemetry.emit(StoreRecovered(self._worker))

    def wait(self, watch: Watch) -> None:
        """Wait before the next try."""
        watch.wait(self._wait * random.uniform(0.5, 1.0))  # noqa: S311  # spreads workers, hides nothing
        self._wait = min(self._wait * 2, LONGEST_WAIT)
