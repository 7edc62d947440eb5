"""What may be wrong with a set-up: one function for each thing that is looked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

from backburner.app import Backburner
from backburner.cli.liveness import is_lost
from backburner.cli.phrases import age, count, duration, listing
from backburner.core.errors import DeserializationError, NotAllowed, StoreUnavailable, UnknownJob
from backburner.core.job import Job
from backburner.core.lifecycle import State
from backburner.core.ports import JobFilter, QueueInfo, WorkerInfo
from backburner.core.schema import SchemaState
from backburner.core.text import printable

SAMPLE = 250
"""How many of the oldest and of the newest queued jobs are loaded."""

LATE = timedelta(minutes=5)
"""How long a due job may wait."""

SQLITE = "sqlite:///"

CLOCKS_APART = timedelta(minutes=1)


class Finding(NamedTuple):
    """Something that is wrong."""

    check: str
    """What found it; stays from version to version."""
    message: str
    advice: str


@dataclass(frozen=True)
class Subject:
    """What is examined, as it is at one moment."""

    app: Backburner
    now: datetime

    @cached_property
    def schema(self) -> SchemaState:
        """The tables."""
        return self.app.store.schema_state()

    @cached_property
    def queues(self) -> list[QueueInfo]:
        """The queues that have jobs or are paused."""
        return self.app.store.run(self.app.store.queues())

    @cached_property
    def workers(self) -> list[WorkerInfo]:
        """The registered workers."""
        return self.app.workers()

    @property
    def live_workers(self) -> list[WorkerInfo]:
        """The workers that were heard of."""
        return [worker for worker in self.workers if not is_lost(worker, self.now, self.app.settings.lease)]

    def find(self, which: JobFilter, *, newest_first: bool, limit: int) -> list[Job[Any]]:
        """Return some jobs that fit."""
        return self.app.store.run(self.app.store.find(which, newest_first=newest_first, limit=limit))


def examine(subject: Subject) -> Iterator[Finding]:
    """Look for everything; what is in tables that are not there, or not of this version, cannot be looked at."""
    yield from _tables(subject)
    if subject.schema.is_current:
        for look in (_writing, _clocks, _code, _failed, _lost_workers, _paused, _unserved, _late):
            yield from look(subject)


def risks(subject: Subject) -> list[str]:
    """Return what may go wrong with such a database; nothing while there is none, as to look at it would make it."""
    return subject.app.store.problems() if subject.schema.found else []


def _tables(subject: Subject) -> Iterator[Finding]:
    found, needed = subject.schema.found, subject.schema.needed
    url = subject.app.store.url
    if subject.schema.works_with > needed:
        message = f"the tables in {url} are of version {found}, this code knows version {needed}"
        yield Finding("tables", message, "upgrade backburner here to the version that is used elsewhere")
    elif not found and url.startswith(SQLITE):
        yield from _place(url.removeprefix(SQLITE))
    elif found < needed:
        is_what = f"are of version {found}, version {needed} is needed" if found else "are missing"
        yield Finding("tables", f"the tables in {url} {is_what}", "run `backburner migrate`")


def _place(path: str) -> Iterator[Finding]:
    """Look whether SQLite can make this file with its tables, as it does at the first use."""
    directory = os.path.dirname(path)
    if not os.access(directory, os.W_OK | os.X_OK):
        message = f"{path} cannot be made: expected a directory {directory} that this user may write"
        yield Finding("database", message, "make it or let this user write it, or change the URL")


def _writing(subject: Subject) -> Iterator[Finding]:
    store = subject.app.store
    try:
        store.run(store.retire(0))  # writes nothing, but raises where nothing can be written
    except StoreUnavailable as error:
        yield Finding("database", str(error), "no job can be enqueued or performed until then")


def _clocks(subject: Subject) -> Iterator[Finding]:
    for job in subject.find(JobFilter(), newest_first=True, limit=1):
        ahead = job.created_at - subject.now
        if ahead > CLOCKS_APART:
            message = f"the job {job.id} was created {duration(ahead.total_seconds())} in the future"
            yield Finding("clocks", message, "set the clocks of the machines that enqueue jobs; use NTP")


def _code(subject: Subject) -> Iterator[Finding]:
    """Load queued jobs as a worker with the same packages would."""
    wrong: dict[str, tuple[Exception, list[Job[Any]]]] = {}
    for job in _sample(subject):
        error = _error_of(subject, job)
        if error is not None:
            said = " ".join(str(error).split()) or type(error).__name__
            wrong.setdefault(said, (error, []))[1].append(job)
    for said, (error, jobs) in wrong.items():
        names = listing(dict.fromkeys(printable(job.name) for job in jobs))
        message = f"{count(len(jobs), 'queued job')} cannot be performed ({names}; the first is {jobs[0].id}): {said}"
        yield Finding("code", message, _advice(error))


def _sample(subject: Subject) -> list[Job[Any]]:
    queued = JobFilter(states=frozenset({State.QUEUED}))
    ends = [subject.find(queued, newest_first=newest_first, limit=SAMPLE) for newest_first in (False, True)]
    return list({job.id: job for end in ends for job in end}.values())


def _error_of(subject: Subject, job: Job[Any]) -> Exception | None:
    try:
        subject.app.codec.load(job.handler)
    except Exception as error:  # the code of the user's that loads a record may raise anything
        return error
    return None


def _advice(error: Exception) -> str:
    match error:
        case UnknownJob() | NotAllowed():
            return "name the packages of the workers here too, as in `backburner doctor shop`, to see what these lack"
        case DeserializationError():
            return "it will fail; `backburner jobs show ID` shows its handler"
        case _:
            return "its records cannot be read here; is their database configured?"


def _failed(subject: Subject) -> Iterator[Finding]:
    failed = JobFilter(states=frozenset({State.FAILED}))
    for last in subject.find(failed, newest_first=True, limit=1):
        total = subject.app.store.run(subject.app.store.count(failed))
        error = printable((last.last_error or "no error is known").partition("\n")[0])
        when = age(last.failed_at or last.run_at, subject.now)
        message = f"{count(total, 'job')} failed for good, the newest, {printable(last.name)}, {when}: {error}"
        advice = "`backburner jobs list --state failed` lists them; `backburner jobs retry --all` makes them due again"
        yield Finding("failed", message, advice)


def _lost_workers(subject: Subject) -> Iterator[Finding]:
    alive = subject.live_workers
    for worker in subject.workers:
        if worker not in alive and worker.beat_at is not None:
            held = count(worker.running, "job")
            message = f"the worker {worker.name} was last heard of {age(worker.beat_at, subject.now)}; it holds {held}"
            advice = "" if alive else "start a worker: it rescues them"
            yield Finding("workers", message, advice or "live workers rescue them; see why it ended")


def _paused(subject: Subject) -> Iterator[Finding]:
    for queue in subject.queues:
        waiting = queue.counts.get(State.QUEUED, 0)
        if queue.paused and waiting:
            message = f"the queue {queue.name} is paused, with {count(waiting, 'job')} in it"
            yield Finding("paused", message, f"`backburner queues resume {queue.name}` when they are to be performed")


def _unserved(subject: Subject) -> Iterator[Finding]:
    names = [queue.name for queue in _waiting(subject) if not _is_served(queue, subject.live_workers)]
    if names:
        message = f"jobs are due in {count(len(names), 'queue')} that no worker serves: {listing(names)}"
        yield Finding("unserved", message, f"start a worker: `backburner work PACKAGE --queues {','.join(names)}`")


def _late(subject: Subject) -> Iterator[Finding]:
    for queue in _waiting(subject):
        waited = subject.now - (queue.oldest_due or subject.now)
        if waited > LATE and _is_served(queue, subject.live_workers):
            message = f"a job in the queue {queue.name} has been due for {duration(waited.total_seconds())}"
            yield Finding("late", message, "the workers do not keep up: start more, or raise their --concurrency")


def _waiting(subject: Subject) -> list[QueueInfo]:
    return [queue for queue in subject.queues if queue.oldest_due is not None and not queue.paused]


def _is_served(queue: QueueInfo, workers: list[WorkerInfo]) -> bool:
    return any(worker.queues is None or queue.name in worker.queues for worker in workers)
