"""The app: joins settings, store, codec and events, and hands out workers; and which app is the current one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

from backburner.authoring.apps import current_app
from backburner.authoring.enqueue import Enqueuer
from backburner.authoring.verbs import Verbs
from backburner.core.events import Events
from backburner.inspection import Jobs, Queues

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta
    from types import TracebackType
    from typing import Self, TypedDict, Unpack

    from backburner.core.isolation import Isolation
    from backburner.core.ports import Store, WorkerInfo
    from backburner.worker.worker import Worker

    class AppSettings(TypedDict, total=False):
        """The settings of an app as they are written; `Settings` says what they mean and their defaults."""

        default_queue: str
        default_priority: int
        queue_attributes: Mapping[str, Mapping[str, Any]]
        max_attempts: int
        max_run_time: timedelta | float
        lease: timedelta | float
        heartbeat: timedelta | float
        sleep_delay: timedelta | float
        keep_failed: bool
        keep_finished: timedelta | float
        retry_jitter: float
        delay_jobs: bool | Callable[..., bool]
        allow: Sequence[str]
        record_attributes: bool
        mail: str
        plugins: Sequence[Any]
        min_priority: int | None
        max_priority: int | None
        queues: Sequence[str] | None


L = TypeVar("L", bound=Callable[..., Any])

DEFAULT_URL = "sqlite:///backburner.db"


class Backburner(Verbs):
    """An app: a store of jobs and what is done with them. `jobs` and `queues` look at what is there.

    The URL names the store: `memory://`, `sqlite:///relative.db`, `sqlite:////absolute.db`, `postgresql://…`,
    `mysql://…` or `mariadb://…`. The database is not touched before the first use. `clock` replaces the machine's
    clock. As a context manager, with `with` or `async with`, it is closed in the end. Raises ConfigurationError that
    names every wrong setting, or the driver that is missing.
    """

    def __init__(
        self, url: str, *, clock: Callable[[], datetime] | None = None, **settings: Unpack[AppSettings]
    ) -> None:
        # Imported here, so that `import backburner` is quick in programs that only declare jobs.
        from backburner.authoring.libraries import Libraries
        from backburner.core.allow import Allowed
        from backburner.core.codec import Codec
        from backburner.core.parts import Parts
        from backburner.core.settings import Settings
        from backburner.core.telemetry import Telemetry

        self.settings: Settings = Settings.of(settings)
        self.allowed: Allowed = Allowed(self.settings.allow)
        self.libraries: Libraries = Libraries(self)
        self.codec: Codec = Codec(self.allowed, [self.libraries], record_attributes=self.settings.record_attributes)
        self.events: Events = Events()
        self.telemetry: Telemetry = Telemetry()
        self.store: Store = self._open_store(url, clock)
        self.parts: Parts = Parts(self.store, self.settings, self.codec, self.events, self.telemetry)
        self._enqueuer = Enqueuer(self.parts, self.codec, self.libraries)
        current_app.know(self, self.codec)
        self.jobs: Jobs = Jobs(lambda: self.parts)
        self.queues: Queues = Queues(lambda: self.parts)
        for plugin in self.settings.plugins:
            plugin.install(self)

    @property
    def enqueuer(self) -> Enqueuer:
        """What puts jobs into the store."""
        return self._enqueuer

    @property
    def delay_jobs(self) -> bool | Callable[..., bool]:
        """Whether jobs are stored; False: performed at once, in the caller. A callable is asked with each job.

        May be set at any time.
        """
        return self._enqueuer.delay_jobs

    @delay_jobs.setter
    def delay_jobs(self, value: bool | Callable[..., bool]) -> None:
        self._enqueuer.delay_jobs = value

    def allow(self, *prefixes: str) -> None:
        """Let jobs name what is defined under these module prefixes as well, like the setting `allow`.

        `shop` covers `shop` and `shop.jobs`, not `shopping`. Raises ConfigurationError for what is no module's name.
        """
        for prefix in prefixes:
            self.allowed.add(prefix)

    def keep_jobs_in(self, store: Store) -> None:
        """Keep jobs in another store from now on; workers that were made before go on with theirs."""
        from dataclasses import replace

        self.store = store
        self.parts = replace(self.parts, store=store)
        former, self._enqueuer = self._enqueuer, Enqueuer(self.parts, self.codec, self.libraries)
        self._enqueuer.delay_jobs, self._enqueuer.outlet = former.delay_jobs, former.outlet

    def bind(self, source: object) -> None:
        """Take the application's source of database sessions: a sessionmaker or scoped session of SQLAlchemy.

        Jobs read their records in a session of it, which is committed when the job has succeeded, rolled back when it
        has not, and closed in the end. Of a scoped session, the present one also takes the jobs that are about no
        record. Raises ConfigurationError for anything else.
        """
        self.libraries.bind(source)

    def before(self, event: str) -> Callable[[L], L]:
        """Decorate a listener that is called before each `event`, with what that event gives.

        Raises ConfigurationError for an unknown event, or a listener that takes another number of arguments.
        """
        return self._listening(self.events.before, event)

    def after(self, event: str) -> Callable[[L], L]:
        """Decorate a listener that is called after each `event` whose inside returned. Raises as `before` does."""
        return self._listening(self.events.after, event)

    def around(self, event: str) -> Callable[[L], L]:
        """Decorate a generator function that yields once, where `event` happens, or that gives a context manager.

        The first one that was registered is the outermost. Raises as `before` does.
        """
        return self._listening(self.events.around, event)

    def worker(
        self,
        queues: Sequence[str] | None = None,
        exclude: Sequence[str] = (),
        concurrency: int = 1,
        min_priority: int | None = None,
        max_priority: int | None = None,
        name: str | None = None,
        sleep_delay: timedelta | float | None = None,
        grace: timedelta | float = 25,
        isolation: Isolation | None = None,
    ) -> Worker:
        """Make a worker. What is not given comes from the app's settings; without queues it serves all of them.

        `concurrency` is how many jobs run at once: 1 in the calling thread, more in threads, and async ones in one
        event loop. Durations are a timedelta or seconds: `sleep_delay` is the longest idle wait between two looks,
        `grace` how long jobs may go on after `stop`. `isolation="process"` gives each job that does not say otherwise a
        process of its own. A `name` must be different from all others; the default is made of host, process and chance.
        Raises ConfigurationError when an argument is wrong.
        """
        from backburner.observe import logs
        from backburner.worker.worker import Worker

        logs.subscribe(self.telemetry)
        return Worker(
            self.parts,
            queues=queues,
            exclude=exclude,
            concurrency=concurrency,
            min_priority=min_priority,
            max_priority=max_priority,
            name=name,
            sleep_delay=sleep_delay,
            grace=grace,
            isolation=isolation,
        )

    def workers(self) -> list[WorkerInfo]:
        """Return the workers that are registered in the store, oldest first."""
        return self.store.run(self.store.workers())

    def migrate(self) -> list[str]:
        """Make or upgrade the tables and return the names of the migrations that were applied, none when all were.

        Two at once are harmless. Raises StoreUnavailable, and SchemaMissing when the tables are of a later version.
        """
        return self.store.migrate()

    def close(self) -> None:
        """Let go of the database, which the next use opens again. May be called twice."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Backburner({self.store.url!r})"

    def _open_store(self, url: str, clock: Callable[[], datetime] | None) -> Store:
        """Return the store that the URL names; a subclass may find it in another way."""
        from backburner.stores.open import open_store

        return open_store(url, clock=clock)

    def _listening(self, register: Callable[[str, Callable[..., Any]], None], event: str) -> Callable[[L], L]:
        def listen(listener: L) -> L:
            register(event, listener)
            return listener

        return listen


def configure(url: str | None = None, **settings: Unpack[AppSettings]) -> Backburner:
    """Make an app, make it the current one and return it.

    Without a URL, the first of the environment's BACKBURNER_URL and DATABASE_URL is taken, else
    `sqlite:///backburner.db` in the working directory. The app that was the current one is not closed. Raises
    ConfigurationError as `Backburner` does.
    """
    app = Backburner(url, **settings) if url is not None else app_of_environment(settings)
    current_app.set(app)
    return app


def current() -> Backburner:
    """Return the current app; the first use without one configures it, as `configure()` without arguments does.

    Inside of a job it is the app whose worker performs it.
    """
    return cast(Backburner, current_app.get())


@contextmanager
def use(app: Backburner) -> Iterator[Backburner]:
    """Make an app the current one within the block, in every thread, and the former one again after it."""
    with current_app.use(app):
        yield app


def app_of_environment(settings: AppSettings) -> Backburner:
    """Make an app for which nobody gave a URL, and log where it is."""
    import logging
    import os

    log = logging.getLogger("backburner")
    for name in ("BACKBURNER_URL", "DATABASE_URL"):
        if url := os.environ.get(name):
            app = Backburner(url, **settings)
            log.info("jobs are kept in %s, which %s names", app.store.url, name)
            return app
    app = Backburner(DEFAULT_URL, **settings)
    log.warning("jobs are kept in %s, as neither BACKBURNER_URL nor DATABASE_URL is set", app.store.url)
    return app


current_app.set_default(configure)

jobs: Jobs = Jobs(lambda: current().parts)
