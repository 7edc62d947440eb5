"""A Flask application that has jobs: its `Backburner`, made when it is first used."""

from __future__ import annotations

from collections.abc import Mapping
from threading import RLock
from typing import Any

from flask import Flask

from backburner.app import Backburner, app_of_environment
from backburner.core.errors import ConfigurationError
from backburner.core.settings import Settings
from backburner.integrations.flask.contexts import perform_in_context
from backburner.integrations.flask.sqlalchemy import extension_of, sessions_of
from backburner.integrations.flask.urls import configured_url

NAME = "backburner"
"""Under which name the application keeps it among its extensions."""


class Served:
    """The jobs of one Flask application."""

    def __init__(self, flask_app: Flask) -> None:
        self.flask_app = flask_app
        self._backburner: Backburner | None = None
        self._is_bound = False
        self._lock = RLock()

    @property
    def backburner(self) -> Backburner:
        """The app of backburner, with the sessions of Flask-SQLAlchemy as soon as the application has that."""
        if self._backburner is None or not self._is_bound:
            with self._lock:
                self._bind(self._made())
        return self._made()

    def check_settings(self) -> None:
        """Raise ConfigurationError when the configuration's settings are wrong."""
        Settings.of(self._settings())

    def _made(self) -> Backburner:
        if self._backburner is None:
            self._backburner = self._make()
        return self._backburner

    def _make(self) -> Backburner:
        settings: Any = self._settings()
        url = configured_url(self.flask_app)
        made = app_of_environment(settings) if url is None else Backburner(url, **settings)
        perform_in_context(made, self.flask_app)
        return made

    def _bind(self, backburner: Backburner) -> None:
        extension = extension_of(self.flask_app)
        if extension is not None and not self._is_bound:
            backburner.bind(sessions_of(extension))
            self._is_bound = True

    def _settings(self) -> Mapping[str, Any]:
        settings = self.flask_app.config.get("BACKBURNER") or {}
        if not isinstance(settings, Mapping):
            raise ConfigurationError(f"BACKBURNER: expected a dictionary of settings, got {settings!r}")
        return settings
