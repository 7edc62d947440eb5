"""One event loop, in a thread of its own, that performs async jobs as tasks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass
from typing import Any

from backburner.core.job import Job
from backburner.worker.attempt import Attempts
from backburner.worker.executors.exact_timers import new_loop
from backburner.worker.outcome import Outcome
from backburner.worker.task_alarm import TaskAlarm


@dataclass(slots=True)
class Performance:
    """A job that is performed, or about to be."""

    job: Job[Any]
    alarm: TaskAlarm
    has_begun: bool = False


class Loop:
    """An event loop that performs the jobs which it is given.

    `end` takes in how a job ended, and after how many seconds, and returns the next job that the loop is to perform;
    `fail` takes in what went wrong when no outcome could be found.
    """

    def __init__(
        self,
        attempts: Attempts,
        end: Callable[[Outcome, float], Job[Any] | None],
        fail: Callable[[BaseException], None],
    ) -> None:
        self._attempts = attempts
        self._end = end
        self._fail = fail
        self._given: deque[Job[Any]] = deque()
        self._is_called = False
        self._tasks: dict[asyncio.Task[None], Performance] = {}
        """Those that run. The event loop itself would forget a task that waits for something nobody else holds."""
        self._is_interrupted = self._is_closed = False
        self._loop = new_loop()
        self._thread = threading.Thread(target=self._run, name="backburner-loop", daemon=True)
        self._thread.start()

    def give(self, job: Job[Any]) -> None:
        """Perform this job. Called from any thread."""
        self._given.append(job)
        if not self._is_called:
            self._is_called = True
            self._call(self._start_given)

    def interrupt(self) -> None:
        """Interrupt every job that runs. Called from any thread and from signal handlers."""
        self._is_interrupted = True
        self._call(self._interrupt_all)

    def close(self, deadline: float) -> None:
        """Interrupt what still runs, and end the loop; wait for it until this monotonic time."""
        self._is_closed = True
        self.interrupt()
        self._thread.join(max(0.0, deadline - time.monotonic()))

    def _call(self, function: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: the worker has ended, and has given back what it held
            self._loop.call_soon_threadsafe(function)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop):
            while self._tasks or not self._is_closed:
                self._run_until_stopped()

    def _run_until_stopped(self) -> None:
        """Run the loop. It is stopped at the end, but a job may stop it too, and what it leaves behind may break it."""
        try:
            self._loop.run_forever()
        except BaseException as error:
            message = "a task that a job left behind raised what stops an event loop; the worker goes on"
            self._loop.default_exception_handler({"message": message, "exception": error})

    def _start_given(self) -> None:
        self._is_called = False  # before it is looked: what is given from now on calls again
        while self._given:
            self._start(self._given.popleft())

    def _start(self, job: Job[Any]) -> None:
        performance = Performance(job, TaskAlarm(self._loop, lambda: self._is_interrupted))
        # Not in the context of the job that has just ended; and not by the loop's own means, which a job may change.
        task = asyncio.Task(self._perform(performance), loop=self._loop, context=Context())
        self._tasks[task] = performance
        task.add_done_callback(self._ended)

    async def _perform(self, performance: Performance) -> None:
        performance.has_begun = True
        began = time.monotonic()
        try:
            outcome = await self._attempts.amake(performance.job, performance.alarm)
            following = self._end(outcome, time.monotonic() - began)
            if following is not None:
                self._start(following)
        except BaseException as error:
            self._fail(error)

    def _ended(self, task: asyncio.Task[None]) -> None:
        performance = self._tasks.pop(task)
        if not performance.has_begun:  # another job has cancelled every task that it found
            self._start(performance.job)
        self._stop_if_done()

    def _interrupt_all(self) -> None:
        for performance in self._tasks.values():
            performance.alarm.interrupt()
        self._stop_if_done()

    def _stop_if_done(self) -> None:
        if self._is_closed and not self._tasks:
            self._loop.stop()
