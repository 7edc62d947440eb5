"""Rows of the tables as jobs and workers, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from backburner.core.job import Job, progress_from_json
from backburner.core.lifecycle import State
from backburner.core.ports import WorkerInfo
from backburner.core.times import MICROSECOND, from_micros, to_micros

_SHARED = (
    "id, name, handler, queue, priority, run_at, created_at, attempts, max_attempts, max_run_time, keep_failed, "
    "discard_missing, tags, locked_by, locked_at, progress, crashes, cancel_requested"
)

COLUMN_LISTS = {
    "live": f"{_SHARED}, {{live_state}}, last_error, failed_at, lease, NULL, NULL",
    "history": f"{_SHARED}, state, last_error, NULL, NULL, finished_at, result",
    "moved": _SHARED,
}
"""Columns of a job in the table of live jobs; in that of finished ones; and those that go from the one to the other
as they are. `to_job` reads the first two. `{live_state}` stands for what the dialect has for it."""


Row = Sequence[Any]

_STATES = {state.value: state for state in State}
_new = Job.__new__


def to_job(row: Row, to_id: Callable[[Any], UUID]) -> Job[Any]:
    """Return the job of a row of the columns `live` or `history`."""
    (
        job_id, name, handler, queue, priority, run_at, created_at, attempts, max_attempts, max_run_time, keep_failed,
        discard_missing, tags, locked_by, locked_at, progress, crashes, cancel_requested, state, last_error,
        failed_at, lease, finished_at, result,
    ) = row  # fmt: skip
    job: Job[Any] = _new(Job)  # its constructor takes longer than all that follows, with as many names to match
    job.id, job.name, job.handler, job.queue, job.priority = to_id(job_id), name, handler, queue, priority
    job.created_at = created = from_micros(created_at)
    job.run_at = created if run_at == created_at else from_micros(run_at)
    job.state, job.attempts, job.max_attempts = _STATES[state], attempts, max_attempts
    job.max_run_time = None if max_run_time is None else _shared_duration(max_run_time)
    job.keep_failed, job.discard_missing = bool(keep_failed), bool(discard_missing)
    job.tags = () if tags is None else tuple(json.loads(tags))
    job.last_error, job.crashes, job.cancel_requested = last_error, crashes, bool(cancel_requested)
    job.locked_by, job.locked_at = locked_by, None if locked_at is None else _shared_moment(locked_at)
    job.failed_at = None if failed_at is None else from_micros(failed_at)
    job.finished_at = None if finished_at is None else from_micros(finished_at)
    job.lease, job.result = lease, result
    job.progress, job.place = (None, None) if progress is None else progress_from_json(progress)
    job.is_duplicate, job.reader, job.handle, job.cached_payload, job.late = False, None, None, None, ()
    return job


def new_row(job: Job[Any]) -> Row:
    """Return the parameters of the statement `insert_job`; the first is the id."""
    created_at = to_micros(job.created_at)
    return (
        str(job.id),
        job.name,
        job.queue,
        job.priority,
        created_at if job.run_at is job.created_at else to_micros(job.run_at),
        created_at,
        job.state._value_,  # `.value` goes through a descriptor
        job.attempts,
        job.max_attempts,
        None if job.max_run_time is None else job.max_run_time // MICROSECOND,
        int(job.keep_failed),  # for a bool, sqlite3 looks for an adapter first
        int(job.discard_missing),
        json.dumps(job.tags) if job.tags else None,
        job.handler,
    )


def to_worker(row: Row) -> WorkerInfo:
    """Return the worker of a row of the statement `workers`."""
    number, name, host, pid, queues, concurrency, started_at, beat_at, running = row
    return WorkerInfo(
        name=name,
        host=host,
        pid=pid,
        queues=None if queues is None else tuple(json.loads(queues)),
        concurrency=concurrency,
        number=number,
        started_at=from_micros(started_at),
        beat_at=from_micros(beat_at),
        running=running,
    )


@lru_cache(maxsize=64)
def _shared_duration(micros: int) -> timedelta:
    """Return a duration that many rows have: that of the app's settings."""
    return timedelta(microseconds=micros)


@lru_cache(maxsize=64)
def _shared_moment(micros: int) -> datetime:
    """Return a time that many rows have: jobs that were claimed together."""
    return from_micros(micros)
