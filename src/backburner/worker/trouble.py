"""What a worker does while its store cannot be used: say so once, and try again, ever more patiently."""

from __future__ import annotations

import random
from threading import RLock

from backburner.core.errors import BackburnerError
from backburner.core.ports import Watch
from backburner.core.telemetry import StoreRecovered, StoreTroubled, Telemetry

FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0
"""Seconds; doubled each time, and spread at random so that many workers do not come back at once."""

CHECKING_IN = "checking in"
"""What a worker does always and often. When that goes well, nothing else is in trouble but the claiming of jobs."""

CLAIMING = "claiming jobs"
SETTLING = "settling jobs"


class Outage:
    """Says once that the store cannot be used, however many notice, and once that it can. For any thread."""

    def __init__(self, worker: str, telemetry: Telemetry) -> None:
        self._worker = worker
        self._telemetry = telemetry
        self._lock = RLock()
        self._troubled: set[str] = set()

    def begin(self, doing: str, error: BackburnerError) -> None:
        """Note that the store failed somebody who was doing this."""
        with self._lock:
            is_known = bool(self._troubled)
            self._troubled.add(doing)
            if not is_known:
                self._telemetry.emit(StoreTroubled(self._worker, doing, error))

    def end(self, doing: str) -> None:
        """Note that the store did not fail who was doing this."""
        if not self._troubled:
            return
        with self._lock:
            before = len(self._troubled)
            self._troubled &= {CLAIMING, SETTLING} if doing == CHECKING_IN else self._troubled - {doing}
            if before and not self._troubled:
                self._telemetry.emit(StoreRecovered(self._worker))


class Trouble:
    """Keeps whether the store fails the worker's own thread, and for how long that waits before the next try."""

    def __init__(self, outage: Outage) -> None:
        self._outage = outage
        self._wait = FIRST_WAIT
        self.is_on: bool = False

    def begin(self, doing: str, error: BackburnerError) -> None:
        """Note that the store failed."""
        self.is_on = True
        self._outage.begin(doing, error)

    def end(self) -> None:
        """Note that the store answered."""
        if self.is_on:
            self.is_on = False
            self._wait = FIRST_WAIT
            self._outage.end(CLAIMING)
            self._outage.end(SETTLING)

    def wait(self, watch: Watch) -> None:
        """Wait before the next try."""
        watch.wait(self._wait * random.uniform(0.5, 1.0))  # noqa: S311  # spreads workers, hides nothing
        self._wait = min(self._wait * 2, LONGEST_WAIT)
