"""How long a worker may go by its lease, by a clock of its own: it fences itself off before others take its jobs."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic

STARTS_UNTIL = 0.6
"""The share of a lease after which, unless it was renewed, no more jobs are started: what is begun then may end."""

NEVER = float("inf")


class Lease:
    """The lease of one worker, on the monotonic clock. May be asked by any thread.

    `heartbeat` is how often it is renewed as long as all is well; that alone must keep no job from being started.
    """

    def __init__(self, length: timedelta, heartbeat: timedelta = timedelta(0)) -> None:
        self._length = length.total_seconds()
        self._starts_for = max(self._length * STARTS_UNTIL, (self._length + heartbeat.total_seconds()) / 2)
        self.starts_until: float = NEVER
        """No job is to be started after this time. Who is not registered has no jobs."""
        self.ends_at: float = NEVER
        """From this time on, others may have its jobs."""

    @property
    def may_start(self) -> bool:
        """Whether a job may be started."""
        return monotonic() <= self.starts_until

    @property
    def look_again_after(self) -> float:
        """How many seconds there are from any renewal, also one that nobody knows of yet, to its end at the least."""
        return self._length / 2

    def renew(self, asked_at: float) -> None:
        """Note that the store has heard of the worker, which had begun to tell it at this time."""
        self.starts_until = asked_at + self._starts_for
        self.ends_at = asked_at + self._length

    def forget(self) -> None:
        """Note that the worker is not registered any more."""
        self.starts_until = self.ends_at = NEVER
