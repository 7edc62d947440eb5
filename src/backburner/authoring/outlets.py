"""Where prepared jobs go: into the store, or performed at once in the caller.

The test helpers put an outlet of their own into `Enqueuer.outlet`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from backburner.core.caller import called_with
from backburner.core.errors import UnsavedRecord
from backburner.core.invoke import invoke
from backburner.core.job import Job, Progress
from backburner.core.lifecycle import State

if TYPE_CHECKING:
    from backburner.authoring.libraries import Joint, Libraries
    from backburner.core.parts import Parts
    from backburner.core.ports import Store


class Outlet(Protocol):
    """Takes jobs that are ready."""

    waits_for_bulk: bool
    """Whether jobs made in a `bulk()` block are put together when it ends; otherwise each is put at once."""

    def put(self, jobs: Sequence[Job[Any]], connection: object | None) -> None:
        """Take jobs; when this raises, none of them was taken."""

    async def aput(self, jobs: Sequence[Job[Any]], connection: object | None) -> None:
        """Take jobs as `put` does, without blocking the event loop."""


class IntoStore:
    """Stores jobs, in one transaction: the caller's, where one is given."""

    waits_for_bulk = True

    def __init__(self, store: Store, libraries: Libraries) -> None:
        self._store = store
        self._libraries = libraries

    def put(self, jobs: Sequence[Job[Any]], connection: object | None) -> None:
        """Store jobs; on the caller's connection they are seen when the caller commits."""
        if (joint := self._joint(jobs, connection)) is not None:
            joint.put(jobs)
            return
        self._store.run(self._store.enqueue(jobs), connection)
        self._store.notify(connection)

    async def aput(self, jobs: Sequence[Job[Any]], connection: object | None) -> None:
        """Store jobs without blocking the event loop."""
        if (joint := self._joint(jobs, connection)) is not None:
            await joint.aput(jobs)
            return
        await self._store.arun(self._store.enqueue(jobs), connection)
        self._store.notify(connection)

    def _joint(self, jobs: Sequence[Job[Any]], connection: object | None) -> Joint | None:
        """Return the library's transaction for jobs; None for those that the store itself writes."""
        joint = None if connection is None else self._libraries.joint(connection)
        if joint is None:
            expect_keys(jobs)
        return joint


def expect_keys(jobs: Sequence[Job[Any]]) -> None:
    """Raise UnsavedRecord unless all records in the handlers have their keys: nobody is there to fill them in later."""
    for job in jobs:
        for late in job.late:
            raise UnsavedRecord(
                f"this {type(late.record).__qualname__} has no key yet, and the job is not part of its transaction: "
                "save it before a job is made of it"
            )


class Inline:
    """Performs jobs at once, in the caller; what they raise leaves the enqueueing call."""

    waits_for_bulk = False

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def put(self, jobs: Sequence[Job[Any]], connection: object | None) -> None:
        """Perform jobs, each loaded from its handler as a worker would, but with the records of the caller."""
        for job in jobs:
            with called_with(connection, job.late):
                self._perform(job)

    async def aput(self, jobs: Sequence[Job[Any]], connection: object | None) -> None:
        """Perform jobs in the caller's thread, so that what belongs to it stays usable; its event loop waits."""
        self.put(jobs, connection)

    def _perform(self, job: Job[Any]) -> None:
        from backburner.worker.awaiting import run_awaitable

        job.state = State.RUNNING
        job.locked_at = self._parts.store.now()
        job.handle = _InlineHandle()
        try:
            job.result = invoke(job, self._parts.events, run_awaitable)
        finally:
            job.handle = job.locked_at = None
        job.state = State.SUCCEEDED
        job.finished_at = self._parts.store.now()


class _InlineHandle:
    """What a job that is performed in the caller may ask: nobody else knows of it."""

    def __init__(self) -> None:
        self.loops: list[str] = []

    def report_progress(self, job: Job[Any], progress: Progress) -> None:
        """Leave it at what the job itself noted."""

    def is_cancelled(self, job: Job[Any]) -> bool:  # noqa: ARG002  # nobody can cancel it
        """Say that nobody asked it to stop."""
        return False

    def before_step(self, job: Job[Any]) -> None:
        """Let it go on."""

    def after_step(self, job: Job[Any]) -> None:
        """Leave it at what the job itself noted."""

    async def aafter_step(self, job: Job[Any]) -> None:
        """Leave it at what the job itself noted."""
