"""Which Flask application the module-level names are about."""

from __future__ import annotations

from weakref import ref

import flask

from backburner.app import Backburner
from backburner.integrations.flask.served import NAME, Served

_latest: ref[Served] | None = None


def note_latest(served: Served) -> None:
    """Take the application that was initialised last."""
    global _latest
    _latest = ref(served)


def current_in_flask() -> Backburner | None:
    """Return the jobs of the application whose context is active, else of the latest one that is still there."""
    served = _served_here()
    return None if served is None else served.backburner


def _served_here() -> Served | None:
    if flask.has_app_context():
        served = flask.current_app.extensions.get(NAME)
        return served if isinstance(served, Served) else None
    return None if _latest is None else _latest()
