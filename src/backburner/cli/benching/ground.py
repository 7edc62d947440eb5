"""A place of our own in the user's store: a queue that nobody else knows, settings that touch nobody else's jobs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from backburner.app import Backburner
from backburner.authoring.enqueue import Enqueuer
from backburner.authoring.verbs import Verbs
from backburner.cli import output
from backburner.cli.benching import jobs
from backburner.cli.liveness import is_lost
from backburner.cli.phrases import count
from backburner.core.allow import Allowed
from backburner.core.codec import Codec
from backburner.core.events import Events
from backburner.core.lifecycle import State
from backburner.core.parts import Parts
from backburner.core.ports import JobFilter, Store
from backburner.core.settings import Settings
from backburner.core.telemetry import Telemetry
from backburner.worker.worker import Worker

PREFIX = "backburner-bench-"
"""How the names of our queues begin."""

FOREVER = timedelta(days=36_500)

PATIENCE = 2.0
"""Seconds in which other workers give back what they took of our jobs."""

LOOK_EVERY = 0.1


class Ground(Verbs):
    """An app of our own on the store of the user's, which hears nothing of our jobs: no listener, no plugin, no log."""

    def __init__(self, app: Backburner, queue: str) -> None:
        codec = Codec(Allowed([jobs.__name__]))
        self.app = app
        self.store: Store = app.store
        self.queue = queue
        self.parts: Parts = Parts(app.store, _settings(app.settings, queue), codec, Events(), Telemetry())
        self._enqueuer = Enqueuer(self.parts, codec, app.libraries)
        self._all = JobFilter(queue=queue, states=frozenset(State))

    @property
    def enqueuer(self) -> Enqueuer:
        """What puts our jobs into the store."""
        return self._enqueuer

    def refuse_if_unusable(self) -> None:
        """Raise what is wrong with the store, if there is something, before anything is written."""
        self.store.run(self.store.retire(0))  # changes nothing, but raises where nothing can be changed

    def worker(self) -> Worker:
        """Make a worker that serves our queue only."""
        return Worker(self.parts, queues=[self.queue])

    def other_workers(self) -> list[str]:
        """Return the names of the user's workers that would take our jobs, as they serve all queues."""
        now, lease = self.store.now(), self.app.settings.lease
        workers = self.store.run(self.store.workers())
        return [worker.name for worker in workers if worker.queues is None and not is_lost(worker, now, lease)]

    @contextmanager
    def cleared(self) -> Iterator[None]:
        """Delete our jobs after the block, however it ends; when some are left, say how they can be deleted later."""
        left = "jobs may be left"
        try:
            try:
                yield
            finally:
                number = self._clear()
                left = f"{count(number, 'job')} left that a worker is performing" if number else ""
        finally:
            if left:
                output.note(f"{left}: `backburner clear --queue {self.queue}` deletes them")

    def _clear(self) -> int:
        """Delete our jobs, history included; return how many are left.

        A worker that took some, though it does not know them, puts them back at once.
        """
        deadline = time.monotonic() + PATIENCE
        while left := self._clear_now():
            if time.monotonic() > deadline:
                break
            time.sleep(LOOK_EVERY)
        return left

    def _clear_now(self) -> int:
        self.store.run(self.store.delete_all(self._all))
        return self.store.run(self.store.count(self._all))


def _settings(theirs: Settings, queue: str) -> Settings:
    """Return defaults, but for what the cost of a job depends on.

    Our worker takes no jobs from silent workers and prunes no history: how long these may stay is for the user's own
    workers to know, whose settings may be others than those of the app that the command line names.
    """
    keep = FOREVER if theirs.keep_finished else timedelta(0)
    return replace(Settings(), default_queue=queue, heartbeat=theirs.heartbeat, lease=FOREVER, keep_finished=keep)
