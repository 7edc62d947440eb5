"""What a supervisor needs of the two ways to start worker processes."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from backburner.worker.page import Page
from backburner.worker.supervision.orders import Orders


class Process(Protocol):
    """A process that was started."""

    pid: int

    def poll(self) -> int | None:
        """Return None while it lives, then its exit code: minus the number of the signal, if it ended by one."""


class Child(NamedTuple):
    """A worker process."""

    process: Process
    page: Page
    orders: Orders
    started_at: float
    """By the monotonic clock."""


class Launcher(Protocol):
    """Starts worker processes."""

    def launch(self, place: int) -> Child:
        """Start the worker process of this place, counted from 0 over all pools. Raises OSError."""
