"""What happened to the jobs of an app under test: the lifecycle's events, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from backburner.core.events import Events
from backburner.core.job import Job

HEARD = ("enqueue", "perform", "invoke", "error", "failure")
"""The events that are about a job."""


class Event(NamedTuple):
    """One event in the life of a job."""

    name: str
    """`enqueue`, `perform`, `invoke`, `error` or `failure`."""
    job: Job[Any]
    """What the listeners were given."""
    exception: BaseException | None = None
    """What the job raised; only of `error`."""


class Happened(list[Event]):
    """The events so far, oldest first."""

    @property
    def names(self) -> list[str]:
        """What happened, by name."""
        return [event.name for event in self]

    def of(self, job: Job[Any]) -> list[str]:
        """Return what happened to one job, by name."""
        return [event.name for event in self if event.job.id == job.id]


@contextmanager
def listening(events: Events) -> Iterator[Happened]:
    """Collect what happens within the block."""
    happened = Happened()
    with ExitStack() as stack:
        for name in HEARD:
            listener = _listener(name, happened)
            events.before(name, listener)
            stack.callback(events.remove, name, listener)
        yield happened


def _listener(name: str, happened: Happened) -> Callable[..., None]:
    match name:
        case "enqueue" | "invoke":
            return lambda job: happened.append(Event(name, job))
        case "error":
            return lambda worker, job, exception: happened.append(Event(name, job, exception))  # noqa: ARG005
        case _:
            return lambda worker, job: happened.append(Event(name, job))  # noqa: ARG005
