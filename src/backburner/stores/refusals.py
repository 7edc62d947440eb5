"""The words of what every store says alike."""

from __future__ import annotations

from uuid import UUID

from backburner.core.errors import InvalidState, JobNotFound
from backburner.core.lifecycle import Move, State


def not_found(job_id: UUID) -> JobNotFound:
    """Return the error for an id that no job has."""
    return JobNotFound(f"no job has the id {job_id}")


def not_possible(move: Move, job_id: UUID, state: State) -> InvalidState:
    """Return the error for a move that does not start from this state."""
    return InvalidState(f"cannot {move.value} job {job_id}: it is {state.value}")


def still_running(job_id: UUID) -> InvalidState:
    """Return the error for deleting a job under a worker's hands."""
    return InvalidState(f"cannot delete job {job_id}: it is running; cancel it first")


def lost_workers(crashes: int, last_worker: str | None) -> str:
    """Return the `last_error` of a job that fails because of the workers that were lost with it."""
    return f"WorkerLost: {crashes} workers were lost while they performed this job, the last one was {last_worker}"
