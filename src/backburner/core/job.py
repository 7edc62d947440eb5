"""The job: one stored request to do some work, as a value."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol
from uuid import UUID

from backburner.core.errors import InvalidState
from backburner.core.isolation import Isolation, isolation_of, with_isolation
from backburner.core.lifecycle import State
from backburner.core.options import check_option
from backburner.core.records import LateKey

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    R = TypeVar("R", default=Any)
    T = TypeVar("T")
else:
    from typing import TypeVar

    R = TypeVar("R")  # a default, so that plain `Job` means `Job[Any]`, exists at run time only from Python 3.13 on
    T = TypeVar("T")


class Progress(NamedTuple):
    """How far a running job has come, in units of its own; `total` and `note` are None when it has not said them."""

    done: float
    """How much is done."""
    total: float | None
    """How much there is to do."""
    note: str | None
    """What it is at, for people."""


Place = Mapping[str, Any]
"""How far the loops of a job have come, as JSON values; see `steps`. Never changed, but replaced by another."""


class Handle(Protocol):
    """What a running job can ask of the worker that performs it."""

    @property
    def loops(self) -> list[str]:
        """The names of the loops that this attempt has begun; see `steps`."""

    def report_progress(self, job: Job[Any], progress: Progress) -> None:
        """Store how far the job has come."""

    def is_cancelled(self, job: Job[Any]) -> bool:
        """Say whether somebody asked this job to stop."""

    def before_step(self, job: Job[Any]) -> None:
        """Raise JobInterrupted when the worker is to stop, JobCancelled when this job is."""

    def after_step(self, job: Job[Any]) -> None:
        """Take note that `job.place` has changed, and store it now and then."""

    async def aafter_step(self, job: Job[Any]) -> None:
        """Take note as `after_step` does, without blocking the event loop."""


class PayloadReader(Protocol):
    """Turns handlers back into payloads; the codec of an app is one."""

    def load(self, handler: str) -> object:
        """Return the payload that a handler describes."""

    def is_async(self, code: str, method: str | None) -> bool:
        """Say whether this function, or this method of this class or module, is a coroutine function.

        Raises what `load` raises when there is no such code.
        """


@dataclass(slots=True, kw_only=True)
class Job(Generic[R]):
    """One stored request to do some work.

    A value, not a live row: to change it changes nothing in the store, and `jobs.get(job.id)` reads it again. Only in
    the `enqueue` hook and event, before it is stored, its options may be changed.
    """

    id: UUID
    """A UUIDv7 made where the job was enqueued; ordered by creation."""
    name: str
    """What people call it: `User.activate`, `send_welcome`, `HelloEmailJob`. Never raises."""
    handler: str
    """The payload as JSON text."""
    queue: str
    """The queue that it is in."""
    priority: int
    """Lower numbers run first."""
    run_at: datetime
    """Not performed before this time. Aware, UTC."""
    created_at: datetime
    """When it was enqueued. Aware, UTC."""
    state: State = State.QUEUED
    """Where it is in its life."""
    attempts: int = 0
    """How many attempts have failed so far."""
    max_attempts: int = 25
    """How many attempts there are in total."""
    max_run_time: timedelta | None = None
    """How long one attempt may take; None: as long as the worker allows. More than the app's setting is cut to that."""
    keep_failed: bool = True
    """Whether the job is kept when it has failed for good."""
    discard_missing: bool = False
    """Whether a record that is gone ends the job as cancelled instead of failed: the option `missing_record`."""
    tags: tuple[str, ...] = ()
    """Words to find it by, in the order in which they were given."""
    last_error: str | None = None
    """The last exception: its type and message on the first line, then the traceback, 64 KB at the most."""
    locked_by: str | None = None
    """The name of the worker that performs it; for a job that succeeded or was cancelled while it ran: performed it."""
    locked_at: datetime | None = None
    """When that worker took it."""
    failed_at: datetime | None = None
    """When it failed for good."""
    finished_at: datetime | None = None
    """When it succeeded or was cancelled."""
    result: R | None = None
    """What the call returned, when it was performed at once, in the caller. A worker does not keep it."""
    progress: Progress | None = None
    """What `report_progress` was told last."""
    place: Place | None = None
    """How far its loops have come that are written with `steps`, so that the next attempt goes on from there."""
    crashes: int = 0
    """How many workers, or processes of its own, were lost while they performed it."""
    cancel_requested: bool = False
    """Whether it was asked to stop while it was running."""
    lease: int | None = None
    """The fencing token under which a worker holds it; None when it is not running."""
    is_duplicate: bool = field(default=False, compare=False)
    """Whether this job was there already when it was enqueued."""
    reader: PayloadReader | None = field(default=None, compare=False, repr=False)
    """The codec that `payload` uses."""
    handle: Handle | None = field(default=None, compare=False, repr=False)
    """The worker that performs it just now."""
    cached_payload: Any = field(default=None, compare=False, repr=False)
    late: Sequence[LateKey] = field(default=(), compare=False, repr=False)
    """The keys in the handler that are still to come; see `Codec.fill`."""

    @property
    def payload(self) -> Any:
        """Load what is to be done: a `Call` or a job object.

        Raises DeserializationError when the handler cannot be read, UnknownJob when its code is not here, NotAllowed
        when it may not be named, and InvalidState when the job was not read through an app.
        """
        if self.cached_payload is None:
            if self.reader is None:
                raise InvalidState("this job was not read through an app: its payload cannot be loaded")
            self.cached_payload = self.reader.load(self.handler)
        return self.cached_payload

    @property
    def isolation(self) -> Isolation | None:
        """Whether each attempt gets a process of its own: `"process"`; None: as the worker has it.

        May be changed in the `enqueue` hook and event. Raises InvalidOption for what it cannot be.
        """
        return isolation_of(self.handler)

    @isolation.setter
    def isolation(self, value: Isolation) -> None:
        self.handler = with_isolation(self.handler, check_option("isolation", value))

    @property
    def is_scheduled(self) -> bool:
        """Whether the job is queued for a time that was later than its creation."""
        return self.state is State.QUEUED and self.run_at > self.created_at

    @property
    def is_retrying(self) -> bool:
        """Whether the job waits for another attempt after a failed one."""
        return self.state is State.QUEUED and self.attempts > 0

    @property
    def is_cancelled(self) -> bool:
        """Whether the job was cancelled, or, while it runs, was asked to stop.

        A running job that has seen True here ends as cancelled when it returns.
        """
        if self.handle is not None:
            return self.handle.is_cancelled(self)
        return self.state is State.CANCELLED or self.cancel_requested

    def report_progress(self, done: float, total: float | None = None, note: str | None = None) -> None:
        """Store how far this running job has come; `jobs.get(id).progress` reads it.

        It is written at once, in a transaction of its own. Raises InvalidState outside of a running job, LeaseLost when
        another worker has the job, and StoreUnavailable.
        """
        if self.handle is None:
            raise InvalidState(f"only a running job reports progress, this one is {self.state.value}")
        self.progress = Progress(done, total, note)
        self.handle.report_progress(self, self.progress)

    def steps(
        self,
        items: Iterable[T] | Callable[[Any], Iterable[T]],
        *,
        cursor: Callable[[T], Any] | None = None,
        name: str | None = None,
    ) -> Iterator[T]:
        """Yield items, and remember which are done, so that the job's next attempt goes on behind them.

        An item is done when the next one is asked for. `cursor` makes of an item what is remembered, a JSON value;
        without it, that is how many items are done. `items` may be a callable: it is given what was remembered last,
        or None, and returns the items behind it. Loops are told apart by their order, or by `name`.
        Between two items JobInterrupted is raised when the worker is to stop, JobCancelled when the job is.
        Raises InvalidState outside of a running job, and when no item has the cursor that was remembered.
        """
        from backburner.core.steps import steps

        return steps(self, items, cursor, name)

    def asteps(
        self,
        items: AsyncIterable[T] | Iterable[T] | Callable[[Any], AsyncIterable[T] | Iterable[T]],
        *,
        cursor: Callable[[T], Any] | None = None,
        name: str | None = None,
    ) -> AsyncIterator[T]:
        """Yield items as `steps` does, async or ordinary ones, without blocking the event loop."""
        from backburner.core.steps import asteps

        return asteps(self, items, cursor, name)


def progress_to_json(progress: Progress | None, place: Place | None = None) -> str | None:
    """Return how a store keeps progress, and beside it the place."""
    if place is None:
        return None if progress is None else json.dumps(progress._asdict())
    return json.dumps({**(progress._asdict() if progress else {}), "place": place})


def progress_from_json(text: str) -> tuple[Progress | None, Place | None]:
    """Return the progress and the place that a store kept."""
    kept = json.loads(text)
    place = kept.pop("place", None)
    return (Progress(**kept) if kept else None), place
