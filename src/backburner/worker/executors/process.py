"""One process for each attempt: for jobs that crash, that leak, or that must really end when they are told to."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from backburner.core.errors import JobInterrupted
from backburner.core.isolation import PROCESS, Isolation, isolation_of
from backburner.core.job import Job
from backburner.core.parts import Parts
from backburner.worker.executors.forking import Child, Forks
from backburner.worker.executors.minding import BEGINS_WITHIN, Minder, Wishes
from backburner.worker.handle import RunningHandle
from backburner.worker.outcome import Loss, Lost, Outcome
from backburner.worker.timeouts import INTERRUPTED, Alarm

if TYPE_CHECKING:
    from backburner.worker.worker import Worker

FORKS = 3
"""How often a process is forked that does not begin."""


class Processes:
    """Performs jobs in processes of their own; the thread that calls waits. Called from any thread.

    `default` is for jobs that do not say how they are to be isolated.
    """

    def __init__(self, worker: Worker, parts: Parts, default: Isolation | None) -> None:
        self._worker = worker
        self._parts = parts
        self._default = default
        # A store in memory would be another one there: nobody would see what the job does to it.
        self._can_fork = hasattr(os, "fork") and parts.store.capabilities.many_processes
        self._forks = Forks()
        self._is_interrupted = False

    def takes(self, job: Job[Any]) -> bool:
        """See `Apart.takes`."""
        return self._can_fork and (isolation_of(job.handler) or self._default) == PROCESS

    def interrupt(self) -> None:
        """See `Apart.interrupt`."""
        self._is_interrupted = True

    def perform(self, job: Job[Any], limit: timedelta, handle_for: Callable[[Alarm], RunningHandle]) -> Outcome | Lost:
        """See `Apart.perform`."""
        wishes = Wishes(lambda: self._is_interrupted, self._worker.must_stop)
        handle = handle_for(wishes)
        handle.begin()
        try:
            return self._perform(job, limit, wishes)
        except KeyboardInterrupt as error:
            return Lost(Loss.INTERRUPTED, error)
        except Exception as error:  # no more processes, no more memory
            return Lost(Loss.NOT_MADE, error)
        finally:
            handle.end()

    def _perform(self, job: Job[Any], limit: timedelta, wishes: Wishes) -> Outcome | Lost:
        for _ in range(FORKS):
            if wishes.is_interrupted:
                return Lost(Loss.INTERRUPTED, JobInterrupted(INTERRUPTED))
            minder = Minder(self._fork(job), job, limit, wishes, self._parts.telemetry)
            ended = minder.wait()
            if ended is not None:
                return ended
        return Lost(Loss.NOT_MADE, TimeoutError(f"{FORKS} processes, one by one, did not begin in {BEGINS_WITHIN:g} s"))

    def _fork(self, job: Job[Any]) -> Child:
        from backburner.worker.executors import inside  # by the worker, not by each process

        return self._forks.fork(partial(inside.perform, job, self._worker, self._parts))
