"""Who performs which job just now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from backburner.core.job import Job
from backburner.core.parts import Parts
from backburner.worker.attempt import Attempts
from backburner.worker.outcome import Outcome
from backburner.worker.page import PERFORMED, Page
from backburner.worker.timeouts import Alarm, AwaitingAlarm

if TYPE_CHECKING:
    import asyncio

    from backburner.worker.worker import Worker

    Performer = tuple[int, asyncio.Task[Any] | None]
    """A thread, by its ident, and the task of its event loop, if it is one."""

NO_SEAT = -1
"""For a job that is performed though every seat is taken: it is not shown."""


class Running(NamedTuple):
    """A job that is performed just now."""

    job: Job[Any]
    performer: Performer
    seconds: float
    """For how long."""


class Roster:
    """Keeps what runs, and writes on the worker's page when it must have ended.

    This is done for every job, and costs less than a microsecond. Every method may be called from any thread.
    `longest` is how long a job may run that says nothing else; `on_enough` is called after `enough` attempts, if given.
    """

    def __init__(self, page: Page, longest: timedelta, enough: int | None, on_enough: Callable[[], None]) -> None:
        self._cells = page.cells
        self._deadlines = page.deadlines
        self._longest = longest.total_seconds()
        self._enough = enough
        self._on_enough = on_enough
        self._count = count(1)
        seats = len(page.deadlines)
        self._free = list(range(seats))
        self._taken: list[tuple[Job[Any], Performer] | None] = [None] * seats

    def begin(self, job: Job[Any], performer: Performer) -> int:
        """Note that a job begins; return its seat."""
        try:
            seat = self._free.pop()
        except IndexError:
            return NO_SEAT
        self._taken[seat] = job, performer
        self._deadlines[seat] = monotonic() + (self._longest if job.max_run_time is None else self._limit_of(job))
        return seat

    def end(self, seat: int) -> None:
        """Note that the job on this seat has ended."""
        if seat != NO_SEAT:
            self._deadlines[seat] = 0.0
            self._taken[seat] = None
            self._free.append(seat)
        self._cells[PERFORMED] = performed = next(self._count)
        if performed == self._enough:
            self._on_enough()

    def running(self) -> list[Running]:
        """Return what runs just now."""
        now = monotonic()
        running = []
        for taken, deadline in zip(self._taken.copy(), self._deadlines.tolist(), strict=True):
            if taken is not None and deadline:
                job, performer = taken
                running.append(Running(job, performer, max(now - deadline + self._limit_of(job), 0.0)))
        return running

    def _limit_of(self, job: Job[Any]) -> float:
        wanted = job.max_run_time
        return self._longest if wanted is None else min(wanted.total_seconds(), self._longest)


class NotedAttempts(Attempts):
    """Attempts that are noted in a roster as long as they last."""

    def __init__(self, worker: Worker, parts: Parts, roster: Roster) -> None:
        super().__init__(worker, parts)
        self._roster = roster

    def make(self, job: Job[Any], alarm: Alarm) -> Outcome:
        seat = self._roster.begin(job, (get_ident(), None))
        try:
            return super().make(job, alarm)
        finally:
            self._roster.end(seat)

    async def amake(self, job: Job[Any], alarm: AwaitingAlarm) -> Outcome:
        from asyncio import current_task  # imported by whoever runs the event loop

        seat = self._roster.begin(job, (get_ident(), current_task()))
        try:
            return await super().amake(job, alarm)
        finally:
            self._roster.end(seat)
