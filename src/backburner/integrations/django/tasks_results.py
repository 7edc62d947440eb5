"""What Django's API of tasks says of a job."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from backburner.core.job import Job
from backburner.core.lifecycle import State
from backburner.integrations.django.tasks_history import Attempt, attempts_of, value_of
from backburner.integrations.django.tasks_jobs import TaskJob
from backburner.integrations.django.tasks_names import TaskError, TaskException, TaskResult, TaskResultStatus

STATUSES = {
    State.QUEUED: TaskResultStatus.READY,
    State.BLOCKED: TaskResultStatus.READY,
    State.RUNNING: TaskResultStatus.RUNNING,
    State.SUCCEEDED: TaskResultStatus.SUCCESSFUL,
    State.FAILED: TaskResultStatus.FAILED,
    State.CANCELLED: TaskResultStatus.FAILED,
}
"""Django has no word for what was cancelled, and none for what waits for another attempt."""


def result_of(job: Job[Any], payload: TaskJob) -> Any:
    """Return the result of a task as its job shows it."""
    attempts = attempts_of(job)
    result = TaskResult(
        task=_task_of(job, payload),
        id=str(job.id),
        status=STATUSES[job.state],
        enqueued_at=moment(job.created_at),
        started_at=moment(attempts[0].begun) if attempts else None,
        finished_at=moment(job.finished_at or job.failed_at),
        last_attempted_at=moment(attempts[-1].begun) if attempts else None,
        args=payload.args,
        kwargs=payload.kwargs,
        backend=payload.backend,
        errors=errors_of(attempts),
        worker_ids=[attempt.worker for attempt in attempts],
    )
    if job.state is State.SUCCEEDED:
        change(result, _return_value=value_of(job))
    return result


def errors_of(attempts: Sequence[Attempt]) -> list[Any]:
    """Return what the attempts have raised."""
    return [
        TaskError(exception_class_path=attempt.error, traceback=attempt.traceback or "")
        for attempt in attempts
        if attempt.error is not None
    ]


def change(result: Any, **values: Any) -> None:
    """Change a result, which is frozen for everybody but its backend."""
    for name, value in values.items():
        object.__setattr__(result, name, value)


def moment(at: datetime | None) -> datetime | None:
    """Return a time as the project has them: naive and local without USE_TZ."""
    return at if at is None or settings.USE_TZ else timezone.make_naive(at)


def _task_of(job: Job[Any], payload: TaskJob) -> Any:
    """Return the task as it was enqueued; as it is declared, when its options are not valid any more."""
    try:
        return payload.task_as_enqueued(job.queue, job.priority)
    except TaskException:
        return payload.named.task
