"""What the worker and the app ask of a store, split by who asks.

`JobStore` is used where jobs are made and performed, `Upkeep` by the worker's housekeeping, `Insight` by everybody who
only looks, `Schema` by `migrate`. `Store` is all of them plus the means to run an operation. The memory store is the
specification: `backburner.testing.contract` compares every other store with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

from backburner.core.job import Job, Place, Progress
from backburner.core.lifecycle import Move, State
from backburner.core.ops import Op, Reply, Statement
from backburner.core.schema import Schema

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

MAX_CRASHES = 3
"""A job that was running while so many workers were lost fails instead of running again."""

BATCHES_PER_WORKER = 1 << 32


def lease_of(worker: int, batch: int) -> int:
    """Return the fencing token of a worker's batch: its owner and a number that is never used again, in one value."""
    return worker * BATCHES_PER_WORKER + batch


def worker_of(lease: int) -> int:
    """Return the number of the worker that holds a lease."""
    return lease // BATCHES_PER_WORKER


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a store can do beyond the contract that all share."""

    durable: bool
    """Jobs outlive the process."""
    joins_connections: bool
    """An operation may run on the caller's own connection, in the caller's transaction."""
    many_processes: bool
    """Several processes may share it."""
    overlaps: bool = False
    """An operation that was begun goes on beside the caller, so that it pays to begin early; see `Store.begin`."""


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """Which jobs a worker wants."""

    lease: int
    """The token under which it will hold them; see `lease_of`."""
    worker_name: str
    limit: int
    queues: tuple[str, ...] | None = None
    """Only these queues; None: all. Paused queues are never claimed from."""
    exclude: tuple[str, ...] = ()
    min_priority: int | None = None
    """Only priorities from here, this one included."""
    max_priority: int | None = None
    """Only priorities up to here, this one included."""
    repeats: bool = False
    """A claim under the same lease failed, and may have been applied all the same: give what it took, if anything."""


class Claimed(NamedTuple):
    """What a claim gave."""

    jobs: list[Job[Any]]
    """In the order in which they are to be performed. `state`, `lease`, `locked_by`, `locked_at` are set."""
    lost: list[UUID]
    """Those of the settlements that were not applied, because the lease had been lost."""
    next_due: datetime | None
    """When fewer jobs than asked for were ready: the time of the next queued one that would fit, if there is one.

    It lies in the past when the next claim may give more: a job that is to be claimed alone was left for it, or, as
    `UNSEEN` says, nobody has looked whether more is due, so that these need not wait for that look.
    """


UNSEEN: datetime = datetime.min.replace(tzinfo=UTC)
"""What stands for the time of the next job when nobody has looked."""


class News(NamedTuple):
    """What a worker that checks in is told."""

    is_known: bool
    """Whether it is registered still; False: it has been taken for dead, and its jobs were rescued."""
    is_rescue_needed: bool
    """Whether a rescue would find something."""
    next_due: datetime | None
    """The smallest `run_at` of the queued jobs that fit what was wanted; it may lie in the past."""


class Standing(NamedTuple):
    """How it stands with jobs that a worker performs."""

    to_stop: list[UUID]
    """Held, and asked to stop."""
    lost: list[UUID]
    """Not held any more under the lease that was named."""


class Settlement(NamedTuple):
    """How an attempt ended; applied only while the job is still held under `lease`.

    | move    | what becomes of the job                                                                           |
    |---------|---------------------------------------------------------------------------------------------------|
    | FINISH  | succeeded, kept as history (`keep=False`: deleted)                                                |
    | RETRY   | queued for `run_at`, attempts + 1, `error` kept                                                   |
    | SNOOZE  | queued for `run_at`, attempts unchanged, `error` kept when given                                  |
    | RELEASE | queued with its old `run_at`, nothing else changed                                                |
    | FAIL    | failed, attempts + 1 when `counts`, `error` kept (`keep=False`: deleted)                          |
    | CANCEL  | cancelled, `error` kept when given, as history (`keep=False`: deleted)                            |

    A RETRY, SNOOZE or RELEASE of a job that was asked to stop cancels it instead. FINISH and FAIL stand.
    """

    job_id: UUID
    lease: int
    move: Move
    run_at: datetime | None = None
    error: str | None = None
    keep: bool = True
    counts: bool = True
    """Whether a FAIL spends the attempt."""
    result: str | None = None
    """What the job returned, as JSON text."""
    crashed: bool = False
    """Whether a crash of the job is counted as well; not with FINISH."""


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs are meant; every part that is given must fit."""

    states: frozenset[State] | None = None
    """None: all that are not history (queued, running, blocked, failed)."""
    queue: str | None = None
    name: str | None = None
    tag: str | None = None
    priority: int | None = None
    due_before: datetime | None = None
    """Queued with a `run_at` before this time."""


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """A worker as others see it."""

    name: str
    """Unique: host, process and a random part."""
    host: str
    pid: int
    queues: tuple[str, ...] | None
    concurrency: int
    number: int = 0
    """Given by the store when the worker registers; never used again."""
    started_at: datetime | None = None
    beat_at: datetime | None = None
    running: int = 0
    """How many jobs it holds."""


@dataclass(frozen=True, slots=True)
class QueueInfo:
    """A queue as people see it."""

    name: str
    paused: bool = False
    counts: dict[State, int] = field(default_factory=dict)
    """How many jobs are in each state; states without any are left out."""
    oldest_due: datetime | None = None
    """The smallest `run_at` among queued jobs that are due."""


class JobStore(Protocol):
    """Where jobs are made, claimed and settled."""

    def enqueue(self, jobs: Sequence[Job[Any]]) -> Op[None]:
        """Store new jobs. A job whose id is there already is left as it is, so that an enqueue may be repeated."""

    def claim(self, request: ClaimRequest, settlements: Sequence[Settlement] = ()) -> Op[Claimed]:
        """Apply settlements and claim jobs that are due, in one transaction. Each job is in at most one settlement.

        Jobs come by priority, then `run_at`, then id. A job that crashed a worker before is claimed alone. A limit of 0
        only settles.
        """

    def claim_one(self, job_id: UUID, lease: int, worker_name: str) -> Op[Job[Any]]:
        """Claim this one job, due or not, from a paused queue too.

        Raises JobNotFound, or InvalidState when it is not queued.
        """

    def settle(self, settlements: Sequence[Settlement]) -> Op[list[UUID]]:
        """Apply settlements; return the ids of those whose lease had been lost."""

    def report_progress(
        self, job_id: UUID, lease: int, progress: Progress | None, place: Place | None = None
    ) -> Op[bool]:
        """Keep the progress and the place of a running job; False when the lease has been lost."""

    def is_cancel_requested(self, job_id: UUID, lease: int) -> Op[bool]:
        """Say whether a running job was asked to stop; True as well when the lease has been lost."""

    def standing(self, held: Sequence[tuple[UUID, int]]) -> Op[Standing]:
        """Say which of these jobs, each with its lease, were asked to stop, and which are lost.

        A worker asks that every second while jobs run, so it had better be one statement.
        """

    def cancel(self, job_id: UUID) -> Op[Job[Any]]:
        """Cancel a queued or blocked job; ask a running one to stop. Raises JobNotFound, InvalidState."""

    def requeue(self, job_id: UUID) -> Op[Job[Any]]:
        """Make a failed, cancelled or waiting job due now, with all its attempts. Raises JobNotFound, InvalidState."""

    def requeue_all(self, which: JobFilter) -> Op[int]:
        """Requeue every failed job (or of the states named) that fits; return how many."""

    def delete(self, job_id: UUID) -> Op[Job[Any]]:
        """Remove a job that is not running, history included. Raises JobNotFound, InvalidState."""

    def delete_all(self, which: JobFilter) -> Op[int]:
        """Remove every job that fits, except running ones; return how many."""

    def pause(self, queue: str) -> Op[None]:
        """Let no worker claim from this queue until it is resumed."""

    def resume(self, queue: str) -> Op[None]:
        """Let workers claim from this queue again."""


class Upkeep(Protocol):
    """What keeps the table in order."""

    def register(self, worker: WorkerInfo) -> Op[int]:
        """Note a new worker and return its number, which is never given again."""

    def beat(self, worker: int) -> Op[bool]:
        """Note that a worker is alive; False when it has been taken for dead and its jobs were rescued."""

    def check_in(self, silent_for: float, worker: int | None = None, wanted: ClaimRequest | None = None) -> Op[News]:
        """Say what there is to do, and note that a worker is alive, if one is given, as `beat` does.

        Whether a rescue of workers silent for so many seconds would find something; when the next job is due that fits
        `wanted`, if that is given. It is all that an idle worker asks, so it had better be one statement.
        """

    def retire(self, worker: int) -> Op[int]:
        """Strike a worker off and release what it still holds, without a crash; return how many jobs that were."""

    def rescue(self, silent_for: float) -> Op[list[Job[Any]]]:
        """Strike off workers not heard of for so many seconds, and take their jobs from them.

        Running jobs whose worker is not registered at all are taken too: it may have claimed after it was struck off.
        Their jobs become queued with `crashes` + 1, due at their old `run_at`; failed at `MAX_CRASHES`, with a
        `last_error` that says so; cancelled when they had been asked to stop. Returns them as they are afterwards, a
        portion at a time: all are rescued when there are none.
        """

    def bury(self, worker: int) -> Op[list[Job[Any]]]:
        """Strike off a worker that is known to be dead, and take its jobs from it at once, as `rescue` does.

        As in a rescue, running jobs of others that are not registered are taken too. May be repeated.
        """

    def prune(self, finished_before: datetime, limit: int = 500) -> Op[int]:
        """Remove history that ended before this time, at most `limit` rows; return how many."""


class Insight(Protocol):
    """What may be looked at."""

    def get(self, job_id: UUID) -> Op[Job[Any] | None]:
        """Return a job, history included."""

    def find(
        self, which: JobFilter, *, after: UUID | None = None, limit: int = 100, newest_first: bool = False
    ) -> Op[list[Job[Any]]]:
        """Return jobs by id (that is, by creation), from the one behind `after` on."""

    def count(self, which: JobFilter) -> Op[int]:
        """Return how many jobs fit."""

    def oldest_due(self, which: JobFilter) -> Op[Job[Any] | None]:
        """Return the queued job that has been due for the longest time."""

    def queues(self) -> Op[list[QueueInfo]]:
        """Return every queue that has jobs (history aside) or is paused, by name."""

    def workers(self) -> Op[list[WorkerInfo]]:
        """Return the registered workers, oldest first."""


class Watch(Protocol):
    """Waits for work."""

    def wait(self, timeout: float) -> bool:
        """Return True as soon as there may be new work or `wake` was called, False after `timeout` seconds."""

    def wake(self) -> None:
        """End a `wait`, from any thread or a signal handler."""

    def close(self) -> None:
        """Stop watching."""


class Pending(Protocol[T_co]):
    """An operation that was begun."""

    def result(self) -> T_co:
        """Wait for its end; return its value or raise its error. To be called once, by any thread."""


class Store(JobStore, Upkeep, Insight, Schema, Protocol):
    """A place where jobs live."""

    capabilities: Capabilities
    url: str
    """Where it is, without a password."""

    def now(self) -> datetime:
        """Return the time by the store's clock."""

    def run(self, op: Op[T], connection: object | None = None) -> T:
        """Run an operation as one transaction, or inside that of the caller's connection."""

    async def arun(self, op: Op[T], connection: object | None = None) -> T:
        """Run an operation as `run` does, without blocking the event loop."""

    def run_by(self, op: Op[T], execute: Callable[[Statement], Reply]) -> T:
        """Run an operation inside the caller's transaction, by a function that executes one statement there.

        The parameters of a statement are marked as the driver that the store uses marks them. What `execute` raises
        passes through, but for missing tables, which are SchemaMissing.
        """

    def leads_here(self, execute: Callable[[Statement], Reply]) -> bool:
        """Say whether what a function executes is executed in the store's own database."""

    def begin(self, op: Op[T]) -> Pending[T]:
        """Begin an operation as one transaction; it takes effect before, or while, its result is waited for."""

    def watch(self) -> Watch:
        """Watch for new work."""

    def notify(self, connection: object | None = None) -> None:
        """Tell watches that there may be new work, or will be once the transaction of this connection is committed."""

    def problems(self) -> list[str]:
        """Return what is wrong or risky about this database, for `doctor`, a sentence each."""

    def close(self) -> None:
        """Let go of connections. May be called twice."""
