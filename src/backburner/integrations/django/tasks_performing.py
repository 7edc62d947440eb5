"""Performing a task in a worker, with Django's signals."""

from __future__ import annotations

from contextlib import suppress
from traceback import format_exception
from typing import Any

from django.utils import timezone

from backburner.core.current import current_job
from backburner.core.errors import LeaseLost, StoreUnavailable
from backburner.core.invoke import NOT_ERRORS
from backburner.core.job import Job
from backburner.core.steering import Fail
from backburner.integrations.django.tasks_history import Attempt, attempts_of, note_failed, note_succeeded
from backburner.integrations.django.tasks_jobs import TaskJob
from backburner.integrations.django.tasks_names import (
    TaskContext,
    TaskResultStatus,
    backend_of,
    normalize_json,
    task_finished,
    task_started,
)
from backburner.integrations.django.tasks_results import change, errors_of, result_of

INLINE = "inline"
"""The worker of a task that is performed where it is enqueued."""


def perform(payload: TaskJob) -> Any:
    """Call a task as its job; what it raises leaves this call, and the job is retried or fails as any other."""
    run = _Run(current_job(), payload)
    run.tell(task_started)
    try:
        value = run.call()
    except (*NOT_ERRORS, KeyboardInterrupt):
        raise
    except BaseException as error:
        run.fail(error)  # within this block, so that receivers find the exception
        raise
    return run.succeed(value)


class _Run:
    """One attempt at a task."""

    def __init__(self, job: Job[Any], payload: TaskJob) -> None:
        self._job = job
        self._payload = payload
        job.locked_by = job.locked_by or INLINE
        *self._ended, self._attempt = attempts_of(job)
        self._result = result_of(job, payload)
        self._sender = type(backend_of(payload.backend))

    def call(self) -> Any:
        """Call the task and return its value in the form in which it is kept."""
        context = [TaskContext(task_result=self._result)] if self._result.task.takes_context else []
        return normalize_json(self._payload.named.task.call(*context, *self._payload.args, **self._payload.kwargs))

    def succeed(self, value: Any) -> Any:
        """Keep the value, and say that the task has succeeded; return what is kept."""
        kept = note_succeeded(self._job, [*self._ended, self._attempt], value)
        self._finish(TaskResultStatus.SUCCESSFUL, _return_value=value)
        return kept

    def fail(self, error: BaseException) -> None:
        """Keep what was raised; if that was the last attempt, say that the task has failed."""
        failed = _failed(self._attempt, error)
        note_failed(self._job, [*self._ended, failed])
        if not self._is_last(error):
            return
        self._store_place()
        self._finish(TaskResultStatus.FAILED, errors=errors_of([*self._ended, failed]))

    def tell(self, signal: Any) -> None:
        """Send a signal. What a receiver raises is logged by Django, and is nothing to the task."""
        signal.send_robust(self._sender, task_result=self._result)

    def _finish(self, status: Any, **values: Any) -> None:
        change(self._result, status=status, finished_at=timezone.now(), **values)
        self.tell(task_finished)

    def _is_last(self, error: BaseException) -> bool:
        return isinstance(error, Fail) or self._job.attempts + 1 >= self._job.max_attempts

    def _store_place(self) -> None:
        """Store the place of a job that fails: only of those that are tried again is it stored by itself."""
        handle: Any = self._job.handle
        with suppress(StoreUnavailable, LeaseLost):  # the job's error is what matters
            handle.report_progress(self._job, self._job.progress)


def _failed(attempt: Attempt, error: BaseException) -> Attempt:
    kind = type(error)
    path = f"{kind.__module__}.{kind.__qualname__}"
    return Attempt(attempt.worker, attempt.begun_at, path, "".join(format_exception(error)))
