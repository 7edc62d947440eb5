"""The app of a project: made at its first use from the setting BACKBURNER, and the current one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

from backburner.app import Backburner
from backburner.authoring.apps import current_app
from backburner.core.ports import Store
from backburner.integrations.django.database import DatabaseStore
from backburner.integrations.django.own_apps import own_modules
from backburner.integrations.django.setting import NAME, Chosen, chosen


class ProjectApp(Backburner):
    """An app that keeps jobs where the setting BACKBURNER says."""

    def __init__(
        self, choice: Chosen, *, clock: Callable[[], datetime] | None = None, settings: Mapping[str, Any] | None = None
    ) -> None:
        self._choice = choice
        super().__init__(choice.url or "", clock=clock, **{**choice.app, **(settings or {})})
        self.allow(*own_modules())
        self.libraries.in_use()  # Django is to know of the worker's jobs from the first on

    @property
    def alias(self) -> str | None:
        """The database of Django's that the jobs are in; None when a URL says where they are."""
        return self._choice.alias

    def _open_store(self, url: str, clock: Callable[[], datetime] | None) -> Store:
        if self.alias is None:
            return super()._open_store(url, clock)
        return cast(Store, DatabaseStore(self.alias, clock))


class Project:
    """Holds the app until the setting changes, as it does in tests."""

    def __init__(self) -> None:
        self._app: ProjectApp | None = None
        self._lock = threading.RLock()

    def app(self) -> ProjectApp:
        """Return the app. Raises ConfigurationError."""
        with self._lock:
            if self._app is None:
                self._app = ProjectApp(chosen())
            return self._app

    def forget(self) -> None:
        """Let the next use make the app anew."""
        with self._lock:
            app, self._app = self._app, None
        if app is not None:
            current_app.forget(app)
            app.close()

    def note_change(self, *, setting: str, **_: Any) -> None:
        """Listen to `setting_changed`."""
        if setting == NAME:
            self.forget()


project: Project = Project()
