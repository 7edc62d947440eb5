"""Flask-SQLAlchemy, as far as jobs have to do with it: its sessions and where its database is."""

from __future__ import annotations

from typing import Any

from flask import Flask, has_app_context


def extension_of(app: Flask) -> Any:
    """Return the application's `SQLAlchemy`; None when it has none, or another SQLAlchemy than Flask-SQLAlchemy's."""
    extension = app.extensions.get("sqlalchemy")
    # Asked of the class: of the extension itself, engines are an error outside of a context.
    return extension if hasattr(type(extension), "engines") and hasattr(extension, "session") else None


def engine_url(app: Flask) -> str | None:
    """Return the URL of the application's main database; None when it has none."""
    extension = extension_of(app)
    if extension is None:
        return None
    with app.app_context():
        engine = extension.engines.get(None)
    return None if engine is None else str(engine.url.render_as_string(hide_password=False))


def sessions_of(extension: Any) -> Any:
    """Return the extension's scoped session, as it can be asked outside of any context: there it has no session."""
    from sqlalchemy.orm import scoped_session

    sessions: Any = scoped_session(extension.session.session_factory)
    sessions.registry = _Registry(extension.session.registry)
    return sessions


class _Registry:
    """The registry of an extension's sessions: one for each application context."""

    def __init__(self, registry: Any) -> None:
        self._registry = registry

    def __call__(self) -> Any:
        """Return the session of the context, made when there is none."""
        return self._registry()

    def has(self) -> bool:
        """Say whether there is a session."""
        return has_app_context() and self._registry.has()

    def set(self, session: Any) -> None:
        """Let this be the session of the context."""
        self._registry.set(session)

    def clear(self) -> None:
        """Forget the session of the context."""
        self._registry.clear()
