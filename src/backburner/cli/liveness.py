"""Which workers are alive."""

from __future__ import annotations

from datetime import datetime, timedelta

from backburner.core.ports import WorkerInfo


def is_lost(worker: WorkerInfo, now: datetime, lease: timedelta) -> bool:
    """Say whether a worker was not heard of for so long that others take its jobs."""
    return worker.beat_at is not None and now - worker.beat_at > lease
