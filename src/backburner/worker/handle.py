"""What a running job may ask of its worker."""

from __future__ import annotations

import time
from typing import Any

from backburner.core.errors import LeaseLost
from backburner.core.job import Job, Progress
from backburner.core.ports import Store

LOOK_AGAIN = 0.05
"""Seconds for which the answer to `is_cancelled` is good, so that a tight loop may ask in each round."""


class RunningHandle:
    """Carries the requests of one running job to the store."""

    __slots__ = ("_asked_at", "_store", "has_seen_cancel")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._asked_at = 0.0
        self.has_seen_cancel = False

    def report_progress(self, job: Job[Any], progress: Progress) -> None:
        """Store how far the job has come. Raises LeaseLost when another worker has the job."""
        if job.lease is None or not self._store.run(self._store.report_progress(job.id, job.lease, progress)):
            raise LeaseLost(f"job {job.id} is not held by this worker any more: its progress was not stored")

    def is_cancelled(self, job: Job[Any]) -> bool:
        """Say whether the job was asked to stop, or is not held any more."""
        now = time.monotonic()
        if self.has_seen_cancel or now - self._asked_at < LOOK_AGAIN or job.lease is None:
            return self.has_seen_cancel
        self._asked_at = now
        self.has_seen_cancel = self._store.run(self._store.is_cancel_requested(job.id, job.lease))
        return self.has_seen_cancel
