"""The harness: an app under test, current for as long as the test takes, with what tests do to it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from backburner.app import Backburner, use
from backburner.core.codec import Codec
from backburner.core.errors import ConfigurationError
from backburner.core.job import Job
from backburner.core.times import to_duration
from backburner.stores.memory.store import MemoryStore
from backburner.testing import performing
from backburner.testing.assertions import Assertions
from backburner.testing.clock import Clock

if TYPE_CHECKING:
    from typing import Unpack

    from backburner.app import AppSettings


class Harness(Assertions):
    """An app under test: what tests do to it, and all that the app itself has, as in `backburner.jobs.count()`.

    Made by the `backburner` fixture, by `BackburnerTestCase`, or by `harness(app)`.
    """

    def __init__(self, app: Backburner, clock: Clock | None = None) -> None:
        self.app = app
        self._clock = clock

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

    def enqueued(self) -> list[Job[Any]]:
        """Return the jobs that wait to be performed, now or later, oldest first."""
        return list(self.app.jobs.where(state="queued"))

    def drain(self, *, raises: bool = True, limit: int | None = None) -> tuple[int, int]:
        """Perform what is due, and what becomes due meanwhile, at most `limit` jobs; return (successes, failures).

        Jobs are loaded from their handlers, as a worker does. What a job raises leaves this call, and the rest stays
        enqueued; with `raises=False` it is retried or failed as in a worker, and counted. Without a limit, jobs that
        enqueue each other for ever are an AssertionError.
        """
        return performing.drain(self.app, raises=raises, limit=limit)

    def perform(self, job: Job[Any] | UUID | str, *, raises: bool = True) -> bool:
        """Perform this one job, due or not, and return whether it succeeded; what it raises leaves this call.

        Raises JobNotFound, and InvalidState when it is not queued.
        """
        return performing.perform(self.app, job, raises=raises)

    def travel(self, duration: timedelta | float) -> None:
        """Put the app's clock forward, so that what was scheduled or is to be retried becomes due.

        Raises ConfigurationError when the app was not made with the clock of this harness.
        """
        store = self.app.store
        before = store.now()
        if self._clock is not None:
            self._clock.travel(duration)
        if self._clock is None or store.now() - before < to_duration(duration):
            raise ConfigurationError(
                "expected an app with a clock for tests: clock = testing.Clock(), Backburner(url, clock=clock) "
                "and harness(app, clock=clock)"
            )


@contextmanager
def harness(app: Backburner, *, clock: Clock | None = None, mail: str = "memory:") -> Iterator[Harness]:
    """Put an app under test within the block, whatever its store: it is the current app, and its mail goes to `mail`.

    Jobs that its store holds already are left alone. `clock` is the one that the app was made with.
    """
    settings = app.settings
    app.settings = replace(settings, mail=mail)
    _forget_deliveries()
    try:
        with use(app):
            yield Harness(app, clock)
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
