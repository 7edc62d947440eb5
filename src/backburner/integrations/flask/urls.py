"""Where the jobs of a Flask application are kept."""

from __future__ import annotations

import os
from urllib.parse import quote

from flask import Flask

from backburner.integrations.flask.sqlalchemy import engine_url
from backburner.stores.open import parse_url

IN_MEMORY = "memory://"


def configured_url(app: Flask) -> str | None:
    """Return the URL of the store that an application's configuration names; None when it names none."""
    config = app.config
    url = config.get("BACKBURNER_URL") or engine_url(app) or config.get("SQLALCHEMY_DATABASE_URI")
    return _as_flask_means_it(_text(url), app) if url else None


def _text(url: object) -> str:
    """Return a URL as text, also one that is a `sqlalchemy.URL`, whose text hides the password."""
    render = getattr(url, "render_as_string", None)
    return str(url if render is None else render(hide_password=False))


def _as_flask_means_it(url: str, app: Flask) -> str:
    """Return a URL in which the path of an SQLite file begins in the instance folder, as Flask-SQLAlchemy has it.

    A database in the memory of one connection has no room for jobs, which then are in memory as well.
    """
    parts = parse_url(url)
    if parts.database != "sqlite":
        return url
    path = parts.path.removeprefix("/")
    if path in ("", ":memory:"):
        return IN_MEMORY
    if os.path.isabs(path) or path.startswith("file:"):
        return url
    os.makedirs(app.instance_path, exist_ok=True)
    query = url.partition("?")[1:]
    return f"sqlite:///{quote(os.path.join(app.instance_path, path))}{''.join(query)}"
