"""Threads that perform ordinary jobs, and find out which ones are async."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from backburner.core.job import Job
from backburner.worker.timeouts import ThreadAlarm
from backburner.worker.watchdog import Watchdog


class Threads:
    """At most so many threads, started when they are needed; no more jobs are given than that before some have ended.

    `perform` performs a job with the alarm of the thread, and returns the next one that this thread is to perform;
    `fail` takes in what it raises.
    """

    def __init__(
        self,
        most: int,
        perform: Callable[[Job[Any], ThreadAlarm], Job[Any] | None],
        fail: Callable[[BaseException], None],
    ) -> None:
        self._most = most
        self._perform = perform
        self._fail = fail
        self._jobs: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._spare = 0
        """How many threads wait for a job that has not been given yet; below zero: how many jobs wait for a thread."""
        self._threads: list[threading.Thread] = []
        self._watchdog = Watchdog()
        self._alarms: list[ThreadAlarm] = []
        self._is_interrupted = False

    def give(self, job: Job[Any]) -> None:
        """Let a thread perform this job."""
        with self._lock:
            # A thread whose job has just ended may not have said yet that it is spare.
            if self._spare > 0 or len(self._threads) == self._most:
                self._spare -= 1
            else:
                self._start()
        self._jobs.put(job)

    def interrupt(self) -> None:
        """Raise JobInterrupted in every job that runs. Called from any thread and from signal handlers."""
        self._is_interrupted = True
        for alarm in tuple(self._alarms):
            alarm.interrupt()

    def close(self, deadline: float) -> None:
        """End the threads; wait for them until this monotonic time."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._watchdog.close()

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name=f"backburner-{len(self._threads)}", daemon=True)
        thread.start()
        self._threads.append(thread)

    def _work(self) -> None:
        alarm = ThreadAlarm(self._watchdog)
        self._alarms.append(alarm)
        if self._is_interrupted:
            alarm.interrupt()
        try:
            self._perform_all(alarm)
        except BaseException as error:
            self._fail(error)

    def _perform_all(self, alarm: ThreadAlarm) -> None:
        job = self._jobs.get()
        while job is not None:
            following = self._perform(job, alarm)
            if following is None:
                with self._lock:
                    self._spare += 1
                following = self._jobs.get()
            job = following
