"""What happened, as typed records; logs, metrics and traces subscribe to them.

The worker and the stores never log: they emit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from backburner.core.job import Job


@dataclass(frozen=True, slots=True)
class Record:
    """Something that happened."""


@dataclass(frozen=True, slots=True)
class WorkerStarted(Record):
    """A worker begins to serve queues; None means all of them."""

    worker: str
    queues: tuple[str, ...] | None
    concurrency: int


@dataclass(frozen=True, slots=True)
class WorkerStopping(Record):
    """A worker was asked to stop and finishes what it runs."""

    worker: str
    reason: str


@dataclass(frozen=True, slots=True)
class WorkerStopped(Record):
    """A worker has ended; how many attempts succeeded and failed in its life."""

    worker: str
    successes: int
    failures: int


@dataclass(frozen=True, slots=True)
class WorkerGaveUp(Record):
    """A worker ends though these jobs, which it has given back, do not."""

    worker: str
    jobs: tuple[Job[Any], ...]


@dataclass(frozen=True, slots=True)
class SupervisorStarted(Record):
    """A supervisor begins to keep so many worker processes running, for these pools."""

    supervisor: str
    processes: int
    pools: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SupervisorStopping(Record):
    """A supervisor was asked to stop, and stops its worker processes."""

    supervisor: str
    reason: str


@dataclass(frozen=True, slots=True)
class SupervisorStopped(Record):
    """A supervisor has ended, and none of its worker processes is left."""

    supervisor: str


@dataclass(frozen=True, slots=True)
class ProcessRecord(Record):
    """Something that happened to a worker process of a supervisor."""

    supervisor: str
    pid: int
    pool: str


@dataclass(frozen=True, slots=True)
class ProcessStarted(ProcessRecord):
    """A worker process was started."""


@dataclass(frozen=True, slots=True)
class ProcessEnded(ProcessRecord):
    """A worker process ended by itself, as it should."""


@dataclass(frozen=True, slots=True)
class ProcessCrashed(ProcessRecord):
    """A worker process ended as it should not."""

    how: str
    again_in: float | None
    """After how many seconds another one takes its place; None: not at all, as the supervisor stops."""


@dataclass(frozen=True, slots=True)
class ProcessKilled(ProcessRecord):
    """A supervisor kills a worker process."""

    reason: str


@dataclass(frozen=True, slots=True)
class ProcessMissing(Record):
    """A worker process could not be started."""

    supervisor: str
    pool: str
    error: BaseException
    again_in: float
    """After how many seconds that is tried again."""


@dataclass(frozen=True, slots=True)
class JobRecord(Record):
    """Something that happened to a job in a worker."""

    worker: str
    job: Job[Any]


@dataclass(frozen=True, slots=True)
class JobStarted(JobRecord):
    """An attempt begins."""


@dataclass(frozen=True, slots=True)
class JobSucceeded(JobRecord):
    """An attempt succeeded."""

    seconds: float


@dataclass(frozen=True, slots=True)
class JobRetried(JobRecord):
    """An attempt failed, and there will be another."""

    seconds: float
    error: BaseException
    run_at: datetime


@dataclass(frozen=True, slots=True)
class JobFailed(JobRecord):
    """A job failed for good."""

    seconds: float
    error: BaseException


@dataclass(frozen=True, slots=True)
class JobSnoozed(JobRecord):
    """A job put itself back until a later time."""

    run_at: datetime


@dataclass(frozen=True, slots=True)
class JobPutBack(JobRecord):
    """A job was put back because its code is not here (yet)."""

    error: BaseException
    run_at: datetime


@dataclass(frozen=True, slots=True)
class JobCancelledRecord(JobRecord):
    """A job ended as cancelled."""

    reason: str


@dataclass(frozen=True, slots=True)
class JobReleased(JobRecord):
    """A job was given back before its attempt ended, without spending it."""


@dataclass(frozen=True, slots=True)
class JobCrashed(JobRecord):
    """A job crashed the process that it had for itself, and will be tried again, without spending the attempt."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class JobRescued(JobRecord):
    """A job was taken from a worker that was not heard of any more, or is dead."""


@dataclass(frozen=True, slots=True)
class JobSeen(JobRecord):
    """Somebody asked what runs: this job does, for so many seconds."""

    seconds: float
    stack: tuple[str, ...]
    """`file:line function` of each frame of its own code, the innermost first."""


@dataclass(frozen=True, slots=True)
class LeasesLost(Record):
    """Jobs were settled too late: other workers had them already, and the settlement changed nothing."""

    worker: str
    job_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class ListenerFailed(Record):
    """A listener or hook raised where that must not change what becomes of the job."""

    event: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class StoreTroubled(Record):
    """The store could not be used; the worker goes on trying."""

    worker: str
    doing: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class StoreRecovered(Record):
    """The store can be used again."""

    worker: str


Subscriber = Callable[[Record], None]
Wants = Callable[[type[Record]], bool]


class Telemetry:
    """Hands records to subscribers."""

    def __init__(self) -> None:
        self._subscribers: tuple[tuple[Subscriber, Wants], ...] = ()

    def hears(self, kind: type[Record]) -> bool:
        """Say whether anybody wants records of this kind just now, so that they are worth making."""
        for _, wants in self._subscribers:  # noqa: SIM110  # asked twice for each job: any() costs double
            if wants(kind):
                return True
        return False

    def subscribe(self, subscriber: Subscriber, wants: Wants = lambda _: True) -> Callable[[], None]:
        """Call `subscriber` with each record from now on; return a function that ends it. It must not raise.

        `wants` may say no to a kind of record that would be ignored; such records may be left out.
        """
        entry = (subscriber, wants)
        self._subscribers = (*self._subscribers, entry)

        def unsubscribe() -> None:
            self._subscribers = tuple(other for other in self._subscribers if other is not entry)

        return unsubscribe

    def redirect(self, subscriber: Subscriber, wants: Wants) -> None:
        """Hand records to this subscriber alone from now on."""
        self._subscribers = ((subscriber, wants),)

    def emit(self, record: Record) -> None:
        """Hand a record to every subscriber."""
        for subscriber, _ in self._subscribers:
            subscriber(record)


@contextmanager
def recorded(telemetry: Telemetry) -> Iterator[list[Record]]:
    """Collect the records that are emitted within the block."""
    records: list[Record] = []
    unsubscribe = telemetry.subscribe(records.append)
    try:
        yield records
    finally:
        unsubscribe()
