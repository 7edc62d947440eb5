"""The extension: `FlaskBackburner(app)`, or `init_app(app)` in an application factory."""

from __future__ import annotations

import flask

from backburner.app import Backburner
from backburner.authoring.apps import current_app as current_backburner
from backburner.core.errors import ConfigurationError
from backburner.integrations.flask.commands import command_line
from backburner.integrations.flask.found import current_in_flask, note_latest
from backburner.integrations.flask.served import NAME, Served


class FlaskBackburner:
    """Gives Flask applications their jobs; one extension may serve several applications.

    The configuration of an application has `BACKBURNER_URL`, without which jobs are kept in the database of
    Flask-SQLAlchemy, else in the one that the environment names; and `BACKBURNER`, a dictionary of settings.
    `backburner.delay`, `jobs` and all the others are about the application whose context is active; outside of any
    context, about the one that was initialised last.
    """

    def __init__(self, app: flask.Flask | None = None) -> None:
        if app is not None:
            self.init_app(app)

    def init_app(self, app: flask.Flask) -> None:
        """Give an application its jobs and the command `flask backburner`.

        What is configured is read when the jobs are first used, so that Flask-SQLAlchemy may come before or after this.
        Raises ConfigurationError when the settings are wrong.
        """
        if NAME in app.extensions:
            raise ConfigurationError(f"expected one FlaskBackburner for {app.name!r}, got a second one")
        served = Served(app)
        served.check_settings()
        app.extensions[NAME] = served
        app.cli.add_command(command_line(served))
        note_latest(served)
        current_backburner.find_by(current_in_flask)

    @property
    def app(self) -> Backburner:
        """The jobs of the application whose context is active. Raises ConfigurationError outside of a context."""
        if not flask.has_app_context():
            raise ConfigurationError("expected an application context: `with app.app_context():`, or `of(app)`")
        return self.of(flask.current_app)

    def of(self, app: flask.Flask) -> Backburner:
        """Return the jobs of an application. Raises ConfigurationError when it has none."""
        served = app.extensions.get(NAME)
        if not isinstance(served, Served):
            raise ConfigurationError(f"expected init_app({app.name}) to be called first")
        return served.backburner
