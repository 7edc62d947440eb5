"""What every kind of hands does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from backburner.worker.outcome import Count, Outcome


@dataclass(slots=True)
class Tally:
    """What a turn came to."""

    started: int = 0
    """Jobs claimed for performing."""
    ended: int = 0
    running: int = 0
    """Jobs that still run, or wait for a hand, when the turn is over."""
    successes: int = 0
    failures: int = 0

    @property
    def has_work(self) -> bool:
        """Whether jobs were started or ended, or still run."""
        return bool(self.started or self.ended or self.running)

    def note(self, outcome: Outcome) -> None:
        """Count one attempt that ended."""
        self.ended += 1
        self.successes += outcome.count is Count.SUCCESS
        self.failures += outcome.count is Count.FAILURE

    def add(self, other: Tally) -> None:
        """Count what another tally counted; what still ran then is counted when it ends."""
        self.started += other.started
        self.ended += other.ended
        self.successes += other.successes
        self.failures += other.failures


class Hands(Protocol):
    """Performs jobs."""

    @property
    def last_start(self) -> float:
        """When the last job was started, by the monotonic clock."""

    @property
    def is_busy(self) -> bool:
        """Whether jobs run whose end is worth waiting for, though no turn is being taken."""

    def turn(self, limit: int) -> Tally:
        """Claim at most `limit` jobs and perform; return what ended meanwhile.

        A tally without work: nothing is ready, and nothing runs.
        """

    def interrupt(self) -> None:
        """Raise JobInterrupted in every job that runs. Called from any thread and from signal handlers."""

    def close(self) -> None:
        """Interrupt what still runs, wait a moment for it, then let go of it."""
