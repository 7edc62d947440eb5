"""The one way by which a payload becomes a stored job."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from backburner.authoring.arity import takes
from backburner.authoring.bulk import Batch, Group, collect, collecting
from backburner.authoring.draft import Drafter, is_bare, mentioned, snapshot
from backburner.authoring.outlets import Inline, IntoStore, Outlet
from backburner.authoring.recorded import NOTHING
from backburner.core.errors import ConfigurationError
from backburner.core.hooks import hook
from backburner.core.job import Job
from backburner.core.meeting import meeting

if TYPE_CHECKING:
    from backburner.authoring.libraries import Libraries
    from backburner.core.codec import Codec
    from backburner.core.parts import Parts

Given = Mapping[str, Any]

_HOOK = frozenset({"enqueue"})


class Enqueuer:
    """Makes jobs of payloads for one app, and puts them where they belong.

    `given` are the options at the call, in their normal form; `recorded` are those of a decorator.
    """

    def __init__(self, parts: Parts, codec: Codec, libraries: Libraries) -> None:
        self.outlet: Outlet | None = None
        """Where all jobs go instead, whatever `delay_jobs` says; for tests."""
        self.delay_jobs = parts.settings.delay_jobs
        self._events = parts.events
        self._drafter = Drafter(parts, codec)
        self._libraries = libraries
        self._witness = libraries.witness
        self._into_store = IntoStore(parts.store, libraries)
        self._inline = Inline(parts)

    @property
    def delay_jobs(self) -> bool | Callable[..., bool]:
        """Whether jobs are stored; False: performed at once, in the caller. A callable is asked with each job."""
        return self._delay_jobs

    @delay_jobs.setter
    def delay_jobs(self, value: bool | Callable[..., bool]) -> None:
        from backburner.core.settings import Settings

        checked = Settings.of({"delay_jobs": value}).delay_jobs
        self._delays = _asking(checked)
        self._delay_jobs = checked

    def enqueue(self, payload: object, given: Given = NOTHING, recorded: Given = NOTHING) -> Job[Any]:
        """Enqueue a payload and return its job. Raises EnqueueError; then nothing is stored."""
        job, connection = self._drafted(payload, given, recorded)
        if not self._is_observed(payload):
            self._put(job, connection)
            return job
        before = snapshot(job)
        with self._events.surrounding("enqueue", (job,)):
            _finish(hook(payload, "enqueue", job))
            self._drafter.check_changes(job, before)
            self._put(job, connection)
        return job

    async def aenqueue(self, payload: object, given: Given = NOTHING, recorded: Given = NOTHING) -> Job[Any]:
        """Enqueue a payload as `enqueue` does, without blocking the event loop."""
        job, connection = self._drafted(payload, given, recorded)
        if not self._is_observed(payload):
            await self._aput(job, connection)
            return job
        before = snapshot(job)
        with self._events.surrounding("enqueue", (job,)):
            await _afinish(hook(payload, "enqueue", job))
            self._drafter.check_changes(job, before)
            await self._aput(job, connection)
        return job

    def enqueue_all(self, payloads: Iterable[object], given: Given = NOTHING) -> list[Job[Any]]:
        """Enqueue payloads, all or none, and return their jobs."""
        with self.bulk():
            return [self.enqueue(payload, given) for payload in payloads]

    async def aenqueue_all(self, payloads: Iterable[object], given: Given = NOTHING) -> list[Job[Any]]:
        """Enqueue payloads as `enqueue_all` does, without blocking the event loop."""
        async with self.abulk():
            return [self.enqueue(payload, given) for payload in payloads]

    @contextmanager
    def bulk(self) -> Iterator[None]:
        """Collect the jobs made in the block and store them when it ends; none of them when it raises."""
        with collecting(self) as batch:
            yield
        for connection, jobs in self._leaving(batch):
            (self.outlet or self._into_store).put(jobs, connection)

    @asynccontextmanager
    async def abulk(self) -> AsyncIterator[None]:
        """Collect jobs as `bulk` does; the ordinary forms in the block need no `await`."""
        with collecting(self) as batch:
            yield
        for connection, jobs in self._leaving(batch):
            await (self.outlet or self._into_store).aput(jobs, connection)

    def _drafted(self, payload: object, given: Given, recorded: Given) -> tuple[Job[Any], object | None]:
        """Return a draft, and the connection in whose transaction it belongs: the call's, a record's, the default."""
        connection = given.get("connection")
        if connection is not None and len(given) == 1:
            given = NOTHING  # there is nothing to be decided about the job itself
        if not self._libraries.in_use():
            return self._drafter.draft(payload, given, recorded), connection
        with meeting() as met:
            job = self._drafter.draft(payload, given, recorded)
        job.late = met.late
        if connection is None:
            connection = met.connection()
        return job, self._libraries.default() if connection is None else connection

    def _is_observed(self, payload: object) -> bool:
        """Say whether anybody may change or refuse the draft."""
        return self._events.hears("enqueue") or (not is_bare(payload) and bool(mentioned(payload, _HOOK)))

    def _put(self, job: Job[Any], connection: object | None) -> None:
        outlet = self._outlet_for(job)
        if not (outlet.waits_for_bulk and collect(self, (job,), connection, self._witness)):
            outlet.put((job,), connection)

    async def _aput(self, job: Job[Any], connection: object | None) -> None:
        outlet = self._outlet_for(job)
        if not (outlet.waits_for_bulk and collect(self, (job,), connection, self._witness)):
            await outlet.aput((job,), connection)

    def _outlet_for(self, job: Job[Any]) -> Outlet:
        if self.outlet is not None:
            return self.outlet
        return self._into_store if self._delays is None or self._delays(job) else self._inline

    def _leaving(self, batch: Batch) -> list[Group]:
        """Return what a block that ended leaves to be stored, by connection; not what the block around it takes."""
        groups = batch.close()
        return [group for group in groups if not collect(self, group[1], group[0], self._witness)]


def _asking(delay_jobs: bool | Callable[..., bool]) -> Callable[[Job[Any]], bool] | None:
    """Return what says whether a job is stored; None when all of them are."""
    if isinstance(delay_jobs, bool):
        return None if delay_jobs else lambda _: False
    if takes(delay_jobs, 1):
        return delay_jobs
    if takes(delay_jobs, 0):
        return lambda _: delay_jobs()
    raise ConfigurationError(f"delay_jobs: expected a callable that takes the job, or nothing, got {delay_jobs!r}")


def _finish(made: object) -> None:
    """Run what a hook returned to its end when it is awaitable."""
    if inspect.isawaitable(made):
        from backburner.worker.awaiting import run_awaitable

        run_awaitable(made)


async def _afinish(made: object) -> None:
    if inspect.isawaitable(made):
        await made
