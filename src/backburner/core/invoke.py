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
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from backburner.core import ops
from backburner.core.current import performing
from backburner.core.errors import JobCancelled, JobInterrupted
from backburner.core.events import Events
from backburner.core.hooks import has_hooks, hook
from backburner.core.job import Job
from backburner.core.ops import Op
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
    try:
        return ops.run(invocation(job, events), _Awaiter(awaiting))
    except RuntimeError as error:
        raised = as_raised(error)
        if raised is error:
            raise
        raise raised from raised.__cause__


def invocation(job: Job[Any], events: Events) -> Op[Any]:
    """Do what `invoke` does, as an operation whose commands are awaitables: each is replied to with its value."""
    payload = job.payload
    with performing(job), events.surrounding("invoke", (job,)):
        if has_hooks(payload):
            result = yield from _perform_with_hooks(job, payload)
        else:
            result = perform(payload)
            if result is not None and isawaitable(result):
                result = yield result
    return result


def hook_call(name: str, job: Job[Any], payload: Any, *more: Any) -> Op[None]:
    """Run one hook of a payload, to its end when it is async; an operation as `invocation` is."""
    made = hook(payload, name, job, *more)
    if made is not None and isawaitable(made):
        yield made


def as_raised(error: BaseException) -> BaseException:
    """Return what was raised within an operation: Python makes a RuntimeError of a StopIteration that leaves one."""
    cause = error.__cause__
    if isinstance(cause, StopIteration) and error.args == ("generator raised StopIteration",):
        return cause
    return error


def _perform_with_hooks(job: Job[Any], payload: Any) -> Op[Any]:
    try:
        yield from hook_call("before", job, payload)
        result = perform(payload)
        if result is not None and isawaitable(result):
            result = yield result
        with _noted("success"):
            yield from hook_call("success", job, payload)
    except NOT_ERRORS:
        raise
    except BaseException as error:
        yield from hook_call("error", job, payload, error)
        raise
    finally:
        with _noted("after"):
            yield from hook_call("after", job, payload)
    return result


@dataclass(frozen=True, slots=True)
class _Awaiter:
    """The session of an invocation in code that blocks."""

    execute: Awaiting


@contextmanager
def _noted(name: str) -> Any:
    """Say in an exception's text that the hook `name` raised it."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"raised by the hook {name!r}, so that the attempt counts as failed")
        raise
