"""The lease of a worker for which its supervisor beats, too."""

from __future__ import annotations

from datetime import timedelta

from backburner.worker.lease import Lease
from backburner.worker.page import Page


class SharedLease(Lease):
    """A lease that lasts as long as either of the two was heard of.

    A job deep in C code, which keeps all of Python from running, so keeps its lease; and is not interrupted afterwards
    for the time when the worker could not renew that itself.
    """

    def __init__(self, page: Page, length: timedelta, heartbeat: timedelta) -> None:
        self._page = page
        super().__init__(length, heartbeat)

    @property
    def ends_at(self) -> float:
        """See `Lease.ends_at`."""
        return max(self._ends_at, self._page.beaten_at + self._length)

    @ends_at.setter
    def ends_at(self, moment: float) -> None:
        self._ends_at = moment
