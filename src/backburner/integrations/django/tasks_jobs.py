"""The job of a task: the name of the task, and its arguments as JSON."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.utils.module_loading import import_string

from backburner.app import current
from backburner.authoring.delayable import Delayable
from backburner.core.errors import NotAllowed, UnknownJob
from backburner.core.marks import JobHooks
from backburner.integrations.django.tasks_names import Task


@dataclass(frozen=True)
class NamedTask(Delayable):
    """A task, written by its name, so that a job whose task is not here is put back as any other of unknown code."""

    task: Any

    def __job_key__(self) -> str:
        return str(self.task.module_path)

    @classmethod
    def __job_load__(cls, key: str) -> NamedTask:
        return cls(_task_named(key))

    def __job_attributes__(self) -> Mapping[str, Any]:
        return {}


@dataclass
class TaskJob(JobHooks):
    """What a worker performs for a task."""

    named: NamedTask
    args: list[Any]
    kwargs: dict[str, Any]
    backend: str
    """The alias in TASKS."""
    run_after: datetime | None = None

    def display_name(self) -> str:
        """Call the job what the task's function is called."""
        return str(self.named.task.func.__qualname__)

    def perform(self) -> Any:
        """Call the task, and tell Django's signals."""
        from backburner.integrations.django.tasks_performing import perform

        return perform(self)

    def task_as_enqueued(self, queue: str, priority: int) -> Any:
        """Return the task with the options that it was enqueued with. Raises InvalidTask if they are not valid now."""
        return self.named.task.using(
            queue_name=queue, priority=-priority, run_after=self.run_after, backend=self.backend
        )


def _task_named(path: str) -> Any:
    """Return the task of this path: nothing else may be called, and no module is imported that is not the project's."""
    module = path.rpartition(".")[0]
    if not _is_of_project(module):
        raise NotAllowed(f"a job may not name {path}: its module is in no app of INSTALLED_APPS and not in ALLOW")
    try:
        found = import_string(path)
    except ImportError as error:
        raise UnknownJob(f"there is no task {path} here: {error}") from error
    if not isinstance(found, Task):
        raise NotAllowed(f"a job may not call {path}: expected a function that is marked @task")
    return found


def _is_of_project(module: str) -> bool:
    is_imported = module in sys.modules
    return is_imported or apps.get_containing_app_config(module) is not None or current().allowed.covers(module)
