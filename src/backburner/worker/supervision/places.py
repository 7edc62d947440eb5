"""The places of a supervisor: each is there for one worker process, and is filled again when that ends."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field

from backburner.worker.supervision.backoff import Backoff
from backburner.worker.supervision.launching import Child
from backburner.worker.supervision.pools import Pool

NEVER = float("inf")


@dataclass(slots=True)
class Place:
    """Where one worker process works."""

    number: int
    """Counted from 0 over all pools."""
    pool: Pool
    child: Child | None = None
    fill_at: float = 0.0
    """When it is to be filled, by the monotonic clock."""
    backoff: Backoff = field(default_factory=Backoff)
    killed_because: str | None = None
    """Why the supervisor killed the process."""
    seen_pulse: float = 0.0
    """The last pulse that was seen, and when it was seen to be a new one."""
    seen_pulse_at: float = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether no process is there, and none will be."""
        return self.child is None and self.fill_at == NEVER

    def settle(self, child: Child) -> None:
        """Note that a process is there."""
        self.child = child
        self.fill_at = NEVER
        self.killed_because = None
        self.seen_pulse, self.seen_pulse_at = 0.0, child.started_at

    def clear(self) -> Child | None:
        """Note that the process has ended; return what it was."""
        child, self.child = self.child, None
        if child is not None:
            child.orders.close()
        return child

    def silent_since(self, now: float) -> float | None:
        """Return since when no new pulse was seen; None before the first."""
        page = self.child.page if self.child is not None else None
        if page is None or not page.pulse_at:
            return None
        if page.pulse_at != self.seen_pulse:
            self.seen_pulse, self.seen_pulse_at = page.pulse_at, now
        return self.seen_pulse_at

    def kill(self, reason: str) -> None:
        """Kill the process, at once and whatever it does."""
        self.killed_because = reason
        self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal. It has not been waited for: the number is still its own."""
        if self.child is not None:
            with suppress(ProcessLookupError):
                os.kill(self.child.process.pid, number)


def places_for(pools: tuple[Pool, ...]) -> list[Place]:
    """Return the places of all pools."""
    each = [pool for pool in pools for _ in range(pool.processes)]
    return [Place(number, pool) for number, pool in enumerate(each)]
