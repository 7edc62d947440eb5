"""What each move makes of a job. These functions change the job that they are given."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from backburner.core.job import Job
from backburner.core.lifecycle import Move, State
from backburner.core.ports import MAX_CRASHES, Settlement
from backburner.stores.refusals import lost_workers


def claim(job: Job[Any], lease: int, worker_name: str, now: datetime) -> None:
    """Give the job to a worker."""
    job.state = State.RUNNING
    job.lease, job.locked_by, job.locked_at = lease, worker_name, now


def settle(job: Job[Any], settlement: Settlement, now: datetime) -> None:
    """End the attempt as the settlement says."""
    job.crashes += settlement.crashed
    match settlement.move:
        case Move.FINISH:
            _finish(job, settlement.result, now)
        case Move.FAIL:
            _fail(job, settlement.error, now)
            job.attempts += settlement.counts
        case Move.RETRY | Move.SNOOZE | Move.RELEASE if not job.cancel_requested:
            _put_back(job, settlement)
        case _:
            cancel(job, now, settlement.error)


def cancel(job: Job[Any], now: datetime, error: str | None = None) -> None:
    """Call the job off."""
    job.state = State.CANCELLED
    job.lease = None
    job.finished_at = now
    _note(job, error)


def requeue(job: Job[Any], now: datetime) -> None:
    """Let the job begin anew. What its last attempt left behind, the error, can still be read."""
    _unlock(job)
    job.run_at = now
    job.attempts = job.crashes = 0
    job.failed_at = job.finished_at = job.progress = job.place = None
    job.cancel_requested = False


def release(job: Job[Any], now: datetime) -> None:
    """Give the job back as it was before it was claimed."""
    if job.cancel_requested:
        cancel(job, now)
    else:
        _unlock(job)


def rescue(job: Job[Any], now: datetime) -> None:
    """Take the job from a worker that was lost."""
    job.crashes += 1
    if job.cancel_requested:
        cancel(job, now)
    elif job.crashes >= MAX_CRASHES:
        _fail(job, lost_workers(job.crashes, job.locked_by), now)
    else:
        _unlock(job)


def _finish(job: Job[Any], result: str | None, now: datetime) -> None:
    job.state = State.SUCCEEDED
    job.lease = None
    job.finished_at = now
    job.result = result


def _fail(job: Job[Any], error: str | None, now: datetime) -> None:
    _unlock(job)
    job.state = State.FAILED
    job.failed_at = now
    _note(job, error)


def _put_back(job: Job[Any], settlement: Settlement) -> None:
    _unlock(job)
    if settlement.move is not Move.RELEASE:
        job.run_at = settlement.run_at.astimezone(UTC) if settlement.run_at else job.run_at
        _note(job, settlement.error)
    if settlement.move is Move.RETRY:
        job.attempts += 1


def _unlock(job: Job[Any]) -> None:
    job.state = State.QUEUED
    job.lease = job.locked_by = job.locked_at = None


def _note(job: Job[Any], error: str | None) -> None:
    if error is not None:
        job.last_error = error
