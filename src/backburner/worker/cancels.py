"""Which of the jobs that run just now were asked to stop, or are lost: one question to the store for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING

from backburner.core.errors import StoreUnavailable
from backburner.core.ports import Store

if TYPE_CHECKING:
    from backburner.worker.handle import RunningHandle

LOOK_EVERY = 1.0
"""Seconds between two questions, and for which an answer is good enough for a job that asks."""

LONG = 0.2
"""Seconds that a job has run, or was not asked about, when it is worth a question; short ones end by themselves."""


class Cancels:
    """Tells running jobs what is wanted of them. Every method may be called from any thread.

    Without a store nobody is asked; somebody else tells the jobs then.
    """

    def __init__(self, store: Store | None) -> None:
        self._store = store
        self._running: set[RunningHandle] = set()
        self._was_quiet = False

    def begin(self, handle: RunningHandle) -> None:
        """Note that a job runs."""
        self._running.add(handle)

    def end(self, handle: RunningHandle) -> None:
        """Note that a job, if it ran, runs no more."""
        self._running.discard(handle)

    def is_quiet(self) -> bool:
        """Say whether nothing runs, and did not when this was asked before: what has just been claimed is about to."""
        is_quiet = not self._running
        was_quiet, self._was_quiet = self._was_quiet, is_quiet
        return is_quiet and was_quiet

    def look(self) -> None:
        """Ask what is wanted of the jobs, if any has run for long and was not asked about since."""
        now = monotonic()
        running = tuple(self._running)
        if any(now - handle.asked_at >= LONG for handle in running):
            self._ask(running)

    def refresh(self, handle: RunningHandle) -> None:
        """Ask as `look` does, on behalf of a job that wants to know and that was never asked about, or long ago.

        While the store cannot be used nothing new is known, and the job goes on.
        """
        if handle.was_asked_about and monotonic() - handle.asked_at < LOOK_EVERY:
            return
        try:
            self._ask(tuple(self._running))
        except StoreUnavailable:
            handle.note_asked(monotonic())

    def stop_all(self) -> None:
        """Tell every job that it was asked to stop."""
        for handle in tuple(self._running):
            handle.ask_to_stop()

    def evict_all(self) -> None:
        """Interrupt every job that runs just now: others may have them."""
        for handle in tuple(self._running):
            handle.evict()

    def _ask(self, running: Sequence[RunningHandle]) -> None:
        if self._store is None or not running:
            return
        now = monotonic()
        held = [(handle.job.id, handle.job.lease or 0) for handle in running]
        to_stop, lost = self._store.run(self._store.standing(held))
        for handle in running:
            handle.note_asked(now)
            if handle.job.id in to_stop:
                handle.ask_to_stop()
            elif handle.job.id in lost:
                handle.evict()
