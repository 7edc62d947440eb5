"""The current app: the one that the module-level names work with, looked up when they are called."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from weakref import WeakKeyDictionary, ref

from backburner.core.current import running_job
from backburner.core.errors import ConfigurationError

if TYPE_CHECKING:
    from backburner.authoring.enqueue import Enqueuer
    from backburner.core.job import Job, PayloadReader

Given = Mapping[str, Any]


class App(Protocol):
    """What the forms that make jobs need of an app."""

    @property
    def enqueuer(self) -> Enqueuer:
        """What puts jobs into the app's store."""


AppT = TypeVar("AppT", bound=App)


class CurrentApp:
    """Holds the app that is current in this process, for all its threads."""

    def __init__(self) -> None:
        self._app: App | None = None
        self._make_default: Callable[[], App] | None = None
        self._finders: list[Callable[[], App | None]] = []
        self._apps: WeakKeyDictionary[PayloadReader, ref[App]] = WeakKeyDictionary()
        self._lock = threading.RLock()

    def set(self, app: App | None) -> None:
        """Make this app the current one; None: the next use makes the default one."""
        with self._lock:
            self._app = app

    def forget(self, app: App) -> None:
        """Let the next use make the default app anew, if this one is the current one."""
        with self._lock:
            if self._app is app:
                self._app = None

    def set_default(self, make: Callable[[], App]) -> None:
        """Say how an app is made when one is used and none was configured."""
        self._make_default = make

    def find_by(self, find: Callable[[], App | None]) -> None:
        """Ask a framework which app is the current one, where none was set."""
        if find not in self._finders:
            self._finders.append(find)

    def know(self, app: App, reader: PayloadReader) -> None:
        """Make this app the current one inside of its jobs, that is, those whose handlers this codec reads."""
        self._apps[reader] = ref(app)

    def get(self) -> App:
        """Return the current app: inside a job the one that performs it; the default one is made when there is none."""
        return self._performing_app() or self._app or self._found_app() or self._get_default()

    @contextmanager
    def use(self, app: AppT) -> Iterator[AppT]:
        """Make this app the current one within the block, in every thread, and the former one again after it."""
        with self._lock:
            former, self._app = self._app, app
        try:
            yield app
        finally:
            self.set(former)

    def _performing_app(self) -> App | None:
        job = running_job()
        known = None if job is None or job.reader is None else self._apps.get(job.reader)
        return None if known is None else known()

    def _found_app(self) -> App | None:
        return next((app for find in self._finders if (app := find()) is not None), None)

    def _get_default(self) -> App:
        with self._lock:
            if self._app is None:
                if self._make_default is None:
                    raise ConfigurationError("expected `backburner.configure(url)` to be called first")
                self._app = self._make_default()
            return self._app


current_app: CurrentApp = CurrentApp()


def enqueue_with_current(payload: object, given: Given, recorded: Given) -> Job[Any]:
    """Enqueue a payload with the app that is current when this is called."""
    return current_app.get().enqueuer.enqueue(payload, given, recorded)


async def aenqueue_with_current(payload: object, given: Given, recorded: Given) -> Job[Any]:
    """Enqueue a payload as `enqueue_with_current` does, without blocking the event loop."""
    return await current_app.get().enqueuer.aenqueue(payload, given, recorded)
