"""Django's names for tasks: in `django.tasks` from Django 6.0 on, before that in the package django-tasks."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import django
from django.core.exceptions import ImproperlyConfigured


def _home() -> str:
    for name in ("django.tasks", "django_tasks"):
        if find_spec(name) is not None:
            return name
    raise ImproperlyConfigured(
        f"expected Django 6.0 or newer for TASKS, got {django.get_version()}: `pip install django-tasks` brings the "
        "same to Django 5.2; or use backburner's own @job, which needs neither"
    )


HOME = _home()

_base: Any = import_module(f"{HOME}.base")
_exceptions: Any = import_module(f"{HOME}.exceptions")
_signals: Any = import_module(f"{HOME}.signals")

BaseTaskBackend: Any = import_module(f"{HOME}.backends.base").BaseTaskBackend
Task: Any = _base.Task
TaskContext: Any = _base.TaskContext
TaskError: Any = _base.TaskError
TaskResult: Any = _base.TaskResult
TaskResultStatus: Any = _base.TaskResultStatus
normalize_json: Any = _base.normalize_json

TaskException: Any = _exceptions.TaskException
TaskResultDoesNotExist: Any = _exceptions.TaskResultDoesNotExist
InvalidTaskBackend: Any = getattr(_exceptions, "InvalidTaskBackend", None) or _exceptions.InvalidTaskBackendError

task_enqueued: Any = _signals.task_enqueued
task_started: Any = _signals.task_started
task_finished: Any = _signals.task_finished


def backend_of(alias: str) -> Any:
    """Return the backend that TASKS has under an alias. Raises InvalidTaskBackend."""
    return import_module(HOME).task_backends[alias]
