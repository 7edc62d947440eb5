"""Making the jobs of Django's tasks known to a process that performs them."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings


def load_jobs_of_tasks() -> None:
    """Import the job of tasks when TASKS names a backend that is not Django's own: it may be ours, or made of ours.

    A process that enqueues tasks has imported it with the backend; a worker need not have used the backend yet.
    """
    backends = [str(params.get("BACKEND", "")) for params in getattr(settings, "TASKS", {}).values()]
    if not all(backend.startswith(("django.", "django_tasks.")) for backend in backends):
        import_module("backburner.integrations.django.tasks_jobs")
