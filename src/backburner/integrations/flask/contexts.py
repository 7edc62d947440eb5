"""The application context in which a job is performed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flask import Flask, g, has_app_context

from backburner.app import Backburner
from backburner.core.job import Job

if TYPE_CHECKING:
    from backburner.worker.worker import Worker

_RUN = "_backburner_run"
"""Under which name the context keeps what is known of its job."""


class _Run:
    """A job, and what it raised."""

    def __init__(self, job: Job[Any]) -> None:
        self.job = job
        self.error: BaseException | None = None


def perform_in_context(app: Backburner, flask_app: Flask) -> None:
    """Perform each job in a fresh context of the application, which lasts until its outcome is known.

    Functions for the end of a context (`teardown_appcontext`) are given what the job raised.
    """

    @app.around("perform")
    def context(worker: Worker, job: Job[Any]) -> Iterator[None]:  # noqa: ARG001  # the event's parameters
        with _context(flask_app, _Run(job)):
            yield

    @app.before("error")
    def note(worker: Worker, job: Job[Any], exception: BaseException) -> None:  # noqa: ARG001
        run = g.get(_RUN) if has_app_context() else None
        if run is not None and run.job.id == job.id:
            run.error = exception


@contextmanager
def _context(flask_app: Flask, run: _Run) -> Iterator[None]:
    """Push a context even where there is one, which would be that of the command line and of all jobs in a row."""
    context = flask_app.app_context()
    context.push()
    setattr(g, _RUN, run)
    try:
        yield
    except BaseException as error:
        run.error = run.error or error
        raise
    finally:
        context.pop(run.error)
