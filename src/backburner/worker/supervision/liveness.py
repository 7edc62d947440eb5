"""Whether a worker process is alive, ready and in time, as its page shows it."""

from __future__ import annotations

from time import monotonic

from backburner.worker.page import Page

SLACK = 30.0
"""Seconds that a job may take to end after it had to. Its alarm rings in time, and again after each `max_run_time`; a
job that does not end then is deep in a call that cannot be interrupted."""

ROUNDS = 3
"""How many times the longest idle wait may pass without a look for work, or without word of the store."""

PATIENCE = 30.0
"""Seconds that are allowed for that at the least: a claim may have to wait for a busy database."""


class Liveness:
    """Tells how a worker process is; `since` is when it was started, by the monotonic clock."""

    def __init__(self, page: Page, since: float, sleep_delay: float) -> None:
        self._page = page
        self._since = since
        self._patience = max(ROUNDS * sleep_delay, PATIENCE)

    @property
    def is_live(self) -> bool:
        """Whether it looks for work as often as it should, or performs jobs that may still run."""
        deadline = self._page.earliest_deadline
        if deadline is not None:
            return not is_overdue(self._page, monotonic())
        return monotonic() - max(self._page.progress_at, self._since) < self._patience

    @property
    def is_ready(self) -> bool:
        """Whether it is registered, was answered by the store not long ago, and is not about to end."""
        page = self._page
        return bool(page.worker) and not page.is_leaving and monotonic() - page.contact_at < self._patience


def is_overdue(page: Page, now: float) -> bool:
    """Say whether a job runs that should have ended long ago."""
    deadline = page.earliest_deadline
    return deadline is not None and now > deadline + SLACK
