"""Where a worker works: what it shows to others, and what it may do with the process that it is in."""

from __future__ import annotations

import faulthandler
import sys
from collections.abc import Callable
from dataclasses import dataclass

from backburner.worker.page import Page
from backburner.worker.titles import SetTitle

LAST = 3.0
"""Seconds of the grace that are kept for the end: interrupted jobs clean up, and the worker signs off."""

SIGN_OFF = 0.5
"""Seconds of these for a worker that has to sign off though a job does not end."""

PULSE = 1.0
"""Seconds between two pulses, at the most."""


@dataclass(slots=True, kw_only=True)
class Station:
    """What a worker finds when it begins. Without more, nobody reads its page, and the process is not for it to end."""

    page: Page
    is_supervised: bool = False
    """A supervisor tells the worker to stop and to abort. Signals only stop it, however many come: who signals a whole
    group of processes at once does not mean them to abort."""
    leave_process: Callable[[int], object] | None = None
    """End the process at once, with this exit code: it is there for the worker alone. None: it is not."""
    most_jobs: int | None = None
    """Make way for a fresh process after so many attempts."""
    most_memory: int | None = None
    """Make way for a fresh process when this one takes more bytes than that."""
    set_title: SetTitle | None = None
    on_pulse: Callable[[], object] | None = None
    """Called with each pulse."""

    @property
    def needs_pulse(self) -> bool:
        """Whether anybody looks at the pulse."""
        uses = (self.most_memory, self.set_title, self.on_pulse)
        return self.is_supervised or any(use is not None for use in uses)

    def end_within(self, seconds: float) -> None:
        """End the process after so many seconds, if it is the worker's, even while a job keeps Python from running."""
        if self.leave_process is not None:
            stderr = sys.__stderr__ or sys.stderr
            if stderr is not None:
                faulthandler.dump_traceback_later(seconds, exit=True, file=stderr)


def jobs_share_of(grace: float) -> float:
    """Return after how many seconds of a grace jobs are interrupted: at least half of it is theirs."""
    return max(grace - LAST, grace / 2)
