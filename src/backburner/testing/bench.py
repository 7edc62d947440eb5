"""A worker for tests: performs one job at a time, in the test's own thread, and nothing goes on beside it.

Without a pulse, a fence and processes of their own for jobs, all that a job does and finds is the test's: its mocks,
its data in memory, its connection to the database.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from socket import gethostname
from typing import Any
from uuid import UUID

from backburner.app import Backburner
from backburner.core.job import Job
from backburner.core.ports import ClaimRequest, WorkerInfo
from backburner.worker.attempt import Attempts
from backburner.worker.claimer import Claimer
from backburner.worker.outcome import Outcome
from backburner.worker.signals import raising_interrupts
from backburner.worker.timeouts import Alarm, SignalAlarm, ThreadAlarm
from backburner.worker.upkeep.rescue import portions
from backburner.worker.watchdog import Watchdog
from backburner.worker.worker import Worker


class Bench:
    """Claims jobs, performs them and settles them."""

    def __init__(self, worker: Worker, app: Backburner, claimer: Claimer, alarm: Alarm) -> None:
        self._worker = worker
        self._store = app.store
        self._attempts = Attempts(worker, app.parts)
        self._claimer = claimer
        self._alarm = alarm

    @property
    def next_due(self) -> datetime | None:
        """When the next job is due, by the last claim."""
        return self._claimer.next_due

    def claim(self) -> Job[Any] | None:
        """Claim the job that is due first; None when there is none. What was performed before is settled with it."""
        self._claimer.claim(1)
        return self._taken()

    def claim_one(self, job_id: UUID) -> Job[Any]:
        """Claim this one job, due or not. Raises JobNotFound, and InvalidState when it is not queued."""
        self._claimer.claim_one(job_id)
        job = self._taken()
        assert job is not None  # noqa: S101  # else the claim has raised
        return job

    def make(self, job: Job[Any]) -> Outcome:
        """Perform a job that was claimed."""
        outcome = self._attempts.make(job, self._alarm)
        self._expect_no_interrupt()
        return outcome

    async def amake(self, job: Job[Any]) -> Outcome:
        """Perform a job that was claimed: in the event loop that runs, if it is async."""
        import asyncio

        from backburner.worker.task_alarm import TaskAlarm

        alarm = TaskAlarm(asyncio.get_running_loop(), must_end=lambda: False)
        # A task of its own, which an alarm may cancel.
        outcome = await asyncio.create_task(self._attempts.amake(job, alarm))
        self._expect_no_interrupt()
        return outcome

    def settle(self, outcome: Outcome) -> None:
        """Note how a job ended; that is written with the next claim, or at the end."""
        self._claimer.settle(outcome.settlement)

    def die(self) -> None:
        """Be found dead: what was claimed and not settled has crashed its worker, and is queued again."""
        number, self._claimer.number = self._claimer.number, None
        if number is not None:
            list(portions(self._store, partial(self._store.bury, number)))

    def _taken(self) -> Job[Any] | None:
        return self._claimer.waiting.popleft() if self._claimer.waiting else None

    def _expect_no_interrupt(self) -> None:
        if self._worker.is_interrupted:
            raise KeyboardInterrupt


@contextmanager
def bench(app: Backburner, queue: str | None = None) -> Iterator[Bench]:
    """Make a bench for the jobs of a queue, or of all that the app's workers serve.

    When the block ends, what is left to settle is settled.
    """
    worker = app.worker(None if queue is None else [queue])
    info = WorkerInfo(worker.name, gethostname(), os.getpid(), worker.queues, worker.concurrency)
    parts = app.parts
    wanted = ClaimRequest(
        lease=0,
        worker_name=worker.name,
        limit=1,
        queues=worker.queues,
        min_priority=parts.settings.min_priority,
        max_priority=parts.settings.max_priority,
    )
    claimer = Claimer(parts.store, info, wanted, parts.telemetry, on_waiting=lambda: None)
    with ExitStack() as resources:
        resources.enter_context(raising_interrupts(lambda: setattr(worker, "is_interrupted", True)))
        resources.callback(claimer.retire)
        yield Bench(worker, app, claimer, _alarm(resources))


def _alarm(resources: ExitStack) -> Alarm:
    if SignalAlarm.is_possible():
        return resources.enter_context(SignalAlarm())
    return ThreadAlarm(resources.enter_context(Watchdog()))
