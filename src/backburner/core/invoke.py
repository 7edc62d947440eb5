"""Performing a payload with its hooks, in Delayed::Job's order.

============================  ==========================================
what happens                  hooks
============================  ==========================================
success                       before, perform, success, after
an exception                  before, perform, error, after
`Snooze`, `Cancel`, an abort  before, perform, after
============================  ==========================================

The `failure` hook is not run here: whether a job failed for good is known only after the attempt.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from inspect import isawaitable
from typing import Any

from backburner.core.current import performing
from backburner.core.errors import JobCancelled, JobInterrupted
from backburner.core.events import Events
from backburner.core.hooks import has_hooks, hook
from backburner.core.job import Job
from backburner.core.payload import perform
from backburner.core.steering import Cancel, Snooze

Awaiting = Callable[[Awaitable[Any]], Any]
"""Runs an awaitable to its end and returns its value."""

NOT_ERRORS = (Snooze, Cancel, JobCancelled, JobInterrupted)
"""Ways to end an attempt that are not errors of the job."""


def invoke(job: Job[Any], events: Events, awaiting: Awaiting) -> Any:
    """Perform a job's payload, with its hooks, as the event `invoke`; return what it returned.

    Raises what the payload or a hook raised, DeserializationError or UnknownJob when the handler cannot be loaded.
    """
    payload = job.payload
    with performing(job):
        return events.run("invoke", (job,), lambda: _perform_with_hooks(job, payload, awaiting))


def run_hook(name: str, job: Job[Any], payload: Any, awaiting: Awaiting, *more: Any) -> None:
    """Run one hook of a payload, to its end when it is async."""
    made = hook(payload, name, job, *more)
    if made is not None and isawaitable(made):
        awaiting(made)


def _perform_with_hooks(job: Job[Any], payload: Any, awaiting: Awaiting) -> Any:
    if not has_hooks(payload):
        return _perform(payload, awaiting)
    try:
        run_hook("before", job, payload, awaiting)
        result = _perform(payload, awaiting)
        with _noted("success"):
            run_hook("success", job, payload, awaiting)
    except NOT_ERRORS:
        raise
    except BaseException as error:
        run_hook("error", job, payload, awaiting, error)
        raise
    finally:
        with _noted("after"):
            run_hook("after", job, payload, awaiting)
    return result


def _perform(payload: Any, awaiting: Awaiting) -> Any:
    result = perform(payload)
    return awaiting(result) if result is not None and isawaitable(result) else result


@contextmanager
def _noted(name: str) -> Any:
    """Say in an exception's text that the hook `name` raised it."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"raised by the hook {name!r}, so that the attempt counts as failed")
        raise
