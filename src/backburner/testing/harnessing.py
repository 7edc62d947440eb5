"""The harness: an app under test, current for as long as the test takes, with what tests do to it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from uuid import UUID

from backburner.app import Backburner, use
from backburner.core.codec import Codec
from backburner.core.errors import ConfigurationError
from backburner.core.job import Job
from backburner.inspection import id_of
from backburner.stores.memory.store import MemoryStore
from backburner.testing import performing
from backburner.testing.assertions import Assertions
from backburner.testing.bench import Bench, bench
from backburner.testing.clock import Clock, duration_to
from backburner.testing.happening import Happened, listening
from backburner.testing.modes import Enqueued, fake, inline
from backburner.testing.performing import Draining, Performing, Wait, Waiting, never_wait

if TYPE_CHECKING:
    from typing import Unpack

    from backburner.app import AppSettings

Mode: TypeAlias = Literal["drain", "inline", "fake"]
"""What becomes of jobs: stored until they are drained, performed where they are enqueued, or only collected."""


class Harness(Assertions):
    """An app under test: what tests do to it, and all that the app itself has, as in `backburner.jobs.count()`.

    Made by the `backburner` fixture, by `BackburnerTestCase`, or by `harness(app)`.
    """

    def __init__(
        self,
        app: Backburner,
        clock: Clock | None = None,
        events: Happened | None = None,
        collected: Enqueued | None = None,
    ) -> None:
        self.app = app
        self.events: Happened = Happened() if events is None else events
        """What has happened to jobs so far: `enqueue`, `perform`, `invoke`, `error` and `failure`, in order."""
        self._clock = clock
        self._collected = collected

    def __getattr__(self, name: str) -> Any:
        return getattr(self.app, name)

    @property
    def delay_jobs(self) -> bool | Callable[..., bool]:
        """Whether the app stores jobs; False: performed at once. May be set at any time."""
        return self.app.delay_jobs

    @delay_jobs.setter
    def delay_jobs(self, value: bool | Callable[..., bool]) -> None:
        self.app.delay_jobs = value

    @property
    def codec(self) -> Codec:
        """The codec that wrote the jobs."""
        return self.app.codec

    def enqueued(self, target: Any = None, /, *args: Any, **wanted: Any) -> list[Job[Any]]:
        """Return the jobs that wait to be performed, now or later, oldest first.

        With a target, only those that `assert_enqueued` would take; arguments and options are as there.
        """
        jobs = list(self.app.jobs.where(state="queued")) if self._collected is None else self._collected.enqueued()
        return jobs if target is None else self.fitting(jobs, target, *args, **wanted)

    def drain(self, **how: Unpack[Draining]) -> tuple[int, int]:
        """Perform what is due, and what becomes due meanwhile, at most `limit` jobs; return (successes, failures).

        With a `queue`, only what is in it. With `until`, a time or a duration, time passes from one job's `run_at` to
        the next, up to that time. Jobs are loaded from their handlers, as a worker does, and performed in this thread,
        one by one. What a job raises leaves this call, and the rest stays enqueued; with `raises=False` it is retried
        or failed as in a worker, and counted. Without a limit, jobs that enqueue each other for ever are an
        AssertionError.
        """
        with self._draining("drain", **how) as (at, jobs):
            return performing.drive(at, jobs)

    async def adrain(self, **how: Unpack[Draining]) -> tuple[int, int]:
        """Do what `drain` does, async jobs in the event loop that runs; other jobs keep it waiting."""
        with self._draining("adrain", **how) as (at, jobs):
            return await performing.adrive(at, jobs)

    def perform(self, job: Job[Any] | UUID | str, *, raises: bool = True) -> bool:
        """Perform this one job, due or not, and return whether it succeeded; what it raises leaves this call.

        Raises JobNotFound, and InvalidState when it is not queued.
        """
        with self._bench("perform") as at:
            return performing.drive(at, performing.performing_one(at, id_of(job), raises=raises))

    async def aperform(self, job: Job[Any] | UUID | str, *, raises: bool = True) -> bool:
        """Do what `perform` does, an async job in the event loop that runs."""
        with self._bench("aperform") as at:
            return await performing.adrive(at, performing.performing_one(at, id_of(job), raises=raises))

    def travel(self, to: datetime | timedelta | float) -> None:
        """Put the app's clock forward, to a time or by a duration: what was scheduled, or waits for a retry, is due.

        Raises ValueError for the past, and ConfigurationError when the app was not made with the clock of this harness.
        """
        store = self.app.store
        before = store.now()
        duration = duration_to(to, before)
        if self._clock is not None:
            self._clock.travel(duration)
        if self._clock is None or store.now() - before < duration:
            raise ConfigurationError(
                "expected an app with a clock for tests: clock = testing.Clock(), Backburner(url, clock=clock) "
                "and harness(app, clock=clock)"
            )

    def _bench(self, doing: str, queue: str | None = None) -> AbstractContextManager[Bench]:
        if self._collected is not None:
            raise ConfigurationError(
                f"{doing}: expected jobs that are stored, got mode 'fake', in which they are only collected: "
                "leave the mode out to perform them"
            )
        return bench(self.app, queue)

    @contextmanager
    def _draining(
        self,
        doing: str,
        *,
        until: datetime | timedelta | float | None = None,
        limit: int | None = None,
        raises: bool = True,
        queue: str | None = None,
    ) -> Iterator[tuple[Bench, Performing[tuple[int, int]]]]:
        now = self.app.store.now
        wait: Wait = never_wait
        if until is not None:
            wait = Waiting(now, now() + duration_to(until, now()), self.travel)
        with self._bench(doing, queue) as at:
            yield at, performing.draining(at, limit=limit, raises=raises, wait=wait)


@contextmanager
def harness(
    app: Backburner,
    *,
    clock: Clock | None = None,
    mail: str = "memory:",
    mode: Mode = "drain",
    connection: object | None = None,
) -> Iterator[Harness]:
    """Put an app under test within the block, whatever its store: it is the current app, and its mail goes to `mail`.

    Jobs that its store holds already are left alone. `clock` is the one that the app was made with. With a `connection`
    to the store's database (of sqlite3, psycopg or PyMySQL, or a Session or Connection of SQLAlchemy's), all that is
    done to jobs is part of the transaction there, and gone when that is rolled back. `mode` is "drain", where jobs are
    stored until they are drained, "inline" or "fake". Raises ConfigurationError for another mode, and for a connection
    that leads elsewhere.
    """
    with ExitStack() as stack:
        stack.enter_context(_mailing_to(app, mail))
        stack.enter_context(use(app))
        events = stack.enter_context(listening(app.events))
        if connection is not None:
            stack.enter_context(_kept_on(app, connection))
        collected = stack.enter_context(_sending(app, mode))
        yield Harness(app, clock, events, collected)


@contextmanager
def _sending(app: Backburner, mode: Mode) -> Iterator[Enqueued | None]:
    """Let become of jobs what the mode says; give the list where they are collected."""
    match mode:
        case "drain":
            yield None
        case "inline":
            with inline(app):
                yield None
        case "fake":
            with fake(app) as collected:
                yield collected
        case _:
            raise ConfigurationError(f"mode: expected 'drain', 'inline' or 'fake', got {mode!r}")


@contextmanager
def _kept_on(app: Backburner, connection: object) -> Iterator[None]:
    from backburner.testing.lending import lent

    former = app.store
    app.libraries.in_use()  # before: what they remember of the store is to hold longer than this block
    app.keep_jobs_in(lent(former, connection))
    try:
        yield
    finally:
        app.keep_jobs_in(former)


@contextmanager
def _mailing_to(app: Backburner, mail: str) -> Iterator[None]:
    settings = app.settings
    app.settings = replace(settings, mail=mail)
    _forget_deliveries()
    try:
        yield
    finally:
        app.settings = settings
        _forget_deliveries()


def clean_app(modules: Iterable[str], clock: Clock, **settings: Unpack[AppSettings]) -> Backburner:
    """Make an in-memory app that allows the packages of these modules besides those of the settings.

    Code under test may pass `connection=`; the job is stored at once, and a rollback does not take it back.
    """
    app = Backburner("memory://", clock=clock, **settings)
    if isinstance(app.store, MemoryStore):
        app.store.ignores_connections = True
    app.allow(*(module.partition(".")[0] for module in modules))
    return app


def _forget_deliveries() -> None:
    """Empty `Mailer.deliveries`; a test that has not imported mailers has no deliveries."""
    mail = sys.modules.get("backburner.mail")
    if mail is not None:
        mail.Mailer.deliveries.clear()
