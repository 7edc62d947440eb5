"""What a running job may ask of its worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from time import monotonic
from typing import Any

from backburner.core.errors import JobCancelled, JobInterrupted, LeaseLost, StoreUnavailable
from backburner.core.job import Job, Place, Progress
from backburner.core.ops import Op
from backburner.core.ports import Store
from backburner.worker.cancels import Cancels
from backburner.worker.timeouts import CANCELLED, INTERRUPTED, Alarm

KEEP_EVERY = 1.0
"""Seconds between two times that the place of a job is stored, at the least; and at the end of the attempt."""


class RunningHandle:
    """Carries the requests of one running job to the store, and what is wanted of it to the job."""

    # Defaults of the class: a handle is made for every job, and most need no more than the few below.
    was_asked_about: bool = False
    is_to_stop: bool = False
    """Whether somebody asked the job to stop, or it is lost."""
    has_seen_cancel: bool = False
    """Whether the job knows of that."""
    is_async: bool = False
    """Whether the job may not block its event loop."""
    asked_at: float = 0.0
    """When the store was asked about the job, or else when it began."""
    _is_evicted = False
    _turn = 0
    _kept_at = 0.0

    def __init__(
        self, job: Job[Any], alarm: Alarm, store: Store, cancels: Cancels, must_stop: Callable[[], bool]
    ) -> None:
        self.job = job
        self._alarm = alarm
        self._store = store
        self._cancels = cancels
        self._must_stop = must_stop
        self._kept = job.place

    @cached_property
    def loops(self) -> list[str]:
        """See `Handle.loops`."""
        return []

    def begin(self) -> None:
        """Note that the alarm is set, and the job begins."""
        self._turn = self._alarm.turn
        self.asked_at = self._kept_at = monotonic()
        self._cancels.begin(self)

    def end(self) -> None:
        """Note that the job has ended, begun or not."""
        self._cancels.end(self)

    def note_asked(self, at: float) -> None:
        """Note that the store was asked at this time what is wanted of the job."""
        self.was_asked_about = True
        self.asked_at = at

    def ask_to_stop(self) -> None:
        """Let the job stop: at once where its alarm can, else when it asks."""
        if not self.is_to_stop:
            self.is_to_stop = True
            if self._alarm.cancel(self._turn):
                self.has_seen_cancel = True

    def evict(self) -> None:
        """Interrupt the job, once: it is lost, or its lease has ended."""
        self.is_to_stop = True
        if not self._is_evicted:
            self._is_evicted = True
            self._alarm.evict(self._turn)

    def report_progress(self, job: Job[Any], progress: Progress) -> None:
        """Store how far the job has come. Raises LeaseLost when another worker has the job."""
        self._check_held(self._store.run(self._report(progress, job.place)))

    def is_cancelled(self, job: Job[Any]) -> bool:  # noqa: ARG002  # a handle belongs to one job
        """Say whether the job was asked to stop, or is not held any more."""
        if not self.is_to_stop:
            self._cancels.refresh(self)
        self.has_seen_cancel = self.is_to_stop
        return self.is_to_stop

    def before_step(self, job: Job[Any]) -> None:  # noqa: ARG002
        """See `Handle.before_step`."""
        if self._must_stop():
            raise JobInterrupted(INTERRUPTED)
        if self.is_to_stop:
            self.has_seen_cancel = True
            raise JobCancelled(CANCELLED)

    def after_step(self, job: Job[Any]) -> None:
        """See `Handle.after_step`."""
        if monotonic() - self._kept_at >= KEEP_EVERY:
            with self._keeping(job.place):
                self._check_held(self._store.run(self._report(job.progress, job.place)))

    async def aafter_step(self, job: Job[Any]) -> None:
        """See `Handle.aafter_step`."""
        self.is_async = True
        if monotonic() - self._kept_at >= KEEP_EVERY:
            with self._keeping(job.place):
                self._check_held(await self._store.arun(self._report(job.progress, job.place)))

    def keep_place(self) -> Op[None]:
        """Store the place of a job that will be tried again, if it was not; an operation as an attempt is."""
        place = self.job.place
        if place is self._kept:
            return
        with self._keeping(place):
            op = self._report(self.job.progress, place)
            if self.is_async:
                yield self._store.arun(op)
            else:
                self._store.run(op)

    @contextmanager
    def _keeping(self, place: Place | None) -> Iterator[None]:
        """Note that the block stores a place; not while the store cannot be used: a later step tries again."""
        try:
            yield
            self._kept = place
        except StoreUnavailable:
            pass
        finally:
            self._kept_at = monotonic()

    def _report(self, progress: Progress | None, place: Place | None) -> Op[bool]:
        return self._store.report_progress(self.job.id, self.job.lease or 0, progress, place)

    def _check_held(self, is_held: bool) -> None:
        if not is_held:
            raise LeaseLost(f"job {self.job.id} is not held by this worker any more: its progress was not stored")
