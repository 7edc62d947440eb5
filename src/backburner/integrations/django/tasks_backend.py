"""The backend for Django's tasks: each is a job, written in the transaction in which it is enqueued.

::

    TASKS = {"default": {"BACKEND": "backburner.integrations.django.TaskBackend", "OPTIONS": {"MAX_ATTEMPTS": 5}}}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.core import checks
from django.utils import timezone

from backburner.app import current
from backburner.core.errors import ConfigurationError, JobNotFound
from backburner.core.job import Job
from backburner.core.settings import Settings
from backburner.integrations.django.setting import chosen
from backburner.integrations.django.tasks_jobs import NamedTask, TaskJob
from backburner.integrations.django.tasks_names import (
    BaseTaskBackend,
    Task,
    TaskResultDoesNotExist,
    normalize_json,
    task_enqueued,
)
from backburner.integrations.django.tasks_options import job_options
from backburner.integrations.django.tasks_results import result_of


class BackburnerTask(Task):
    """A task of this backend: `run_after` may be a timedelta from now."""

    __slots__ = ()

    def using(self, *, run_after: datetime | timedelta | None = None, **options: Any) -> Any:
        """Return the task with other options."""
        at = timezone.now() + run_after if isinstance(run_after, timedelta) else run_after
        return Task.using(self, run_after=at, **options)


class TaskBackend(BaseTaskBackend):
    """Enqueues tasks as jobs, which workers perform: `manage.py backburner work`.

    `OPTIONS` are options of jobs: `MAX_ATTEMPTS` (1, unless given), `MAX_RUN_TIME`, `TAGS` and `ISOLATION`.
    Raises InvalidTaskBackend when they are wrong.
    """

    task_class = BackburnerTask
    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = True

    def __init__(self, alias: str, params: Mapping[str, Any]) -> None:
        super().__init__(alias, params)
        self._job_options = job_options(alias, self.options)

    def enqueue(self, task: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Enqueue a task in the transaction that is open, and return its result. Raises InvalidTask, TypeError."""
        self.validate_task(task)
        payload = self._payload(task, args, kwargs)
        result = result_of(current().enqueue(payload, **self._options_of(task)), payload)
        task_enqueued.send(type(self), task_result=result)
        return result

    async def aenqueue(self, task: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Enqueue a task as `enqueue` does, without blocking the event loop."""
        self.validate_task(task)
        payload = self._payload(task, args, kwargs)
        result = result_of(await current().aenqueue(payload, **self._options_of(task)), payload)
        await task_enqueued.asend(type(self), task_result=result)
        return result

    def get_result(self, result_id: str) -> Any:
        """Return the result of a task as it is now. Raises TaskResultDoesNotExist."""
        try:
            return self._result_of(current().jobs.get(result_id), result_id)
        except JobNotFound:
            raise TaskResultDoesNotExist(result_id) from None

    async def aget_result(self, result_id: str) -> Any:
        """Return the result of a task as `get_result` does, without blocking the event loop."""
        try:
            return self._result_of(await current().jobs.aget(result_id), result_id)
        except JobNotFound:
            raise TaskResultDoesNotExist(result_id) from None

    def check(self, **_: Any) -> Iterator[Any]:
        """Check what a task needs besides the backend."""
        if not apps.is_installed("backburner.integrations.django"):
            yield checks.Error(
                f"TASKS[{self.alias!r}] needs the app of backburner",
                hint="Add 'backburner.integrations.django' to INSTALLED_APPS.",
                id="backburner.E010",
            )
        elif not _keeps_results():
            yield checks.Warning(
                f"the results of TASKS[{self.alias!r}] are deleted at once",
                hint="Set KEEP_FINISHED and KEEP_FAILED in BACKBURNER, or do not ask for results.",
                id="backburner.W010",
            )

    def _payload(self, task: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> TaskJob:
        return TaskJob(NamedTask(task), normalize_json(args), normalize_json(kwargs), self.alias, task.run_after)

    def _options_of(self, task: Any) -> Any:
        # Django performs higher numbers first, backburner lower ones.
        options = {"queue": task.queue_name, "priority": -int(task.priority), **self._job_options}
        return options if task.run_after is None else {**options, "run_at": _aware(task.run_after)}

    def _result_of(self, job: Job[Any], result_id: str) -> Any:
        payload = job.payload
        if not isinstance(payload, TaskJob) or payload.backend != self.alias:
            raise TaskResultDoesNotExist(result_id)
        return result_of(job, payload)


def _aware(at: datetime) -> datetime:
    return at if timezone.is_aware(at) else timezone.make_aware(at)


def _keeps_results() -> bool:
    try:
        settings = Settings.of(chosen().app)
    except ConfigurationError:
        return True  # another check says so
    return bool(settings.keep_finished) and settings.keep_failed
