"""What the page shows of the jobs."""

from __future__ import annotations

from collections import deque
from typing import Any

from backburner import Job, State, jobs

SHOWN = 20


def newest_jobs() -> list[Job[Any]]:
    """Return the newest jobs, whatever their state, newest first."""
    return list(reversed(deque(jobs.where(state=tuple(State)), maxlen=SHOWN)))
