"""The database backend of Django's tasks: https://github.com/RealOrangeOne/django-tasks-db.

`python -m benchmarks.peers.with_django_tasks db_worker` is this project's manage.py.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.management import call_command, execute_from_command_line

from benchmarks.peers.job import URL, mark

if not settings.configured:
    parts = urlsplit(URL)
    database = {"ENGINE": "django.db.backends.postgresql", "NAME": parts.path.strip("/"), "USER": parts.username}
    settings.configure(
        # With Django's default, 0, the worker would connect again for each task.
        DATABASES={"default": {**database, "HOST": parts.hostname, "PORT": parts.port, "CONN_MAX_AGE": 60}},
        INSTALLED_APPS=["django_tasks_db"],
        TASKS={"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}},
        USE_TZ=True,
    )
    django.setup()

if django.VERSION >= (6,):
    from django.tasks import task
else:
    from django_tasks import task


@task
def noop(number: int) -> None:  # noqa: ARG001  # all jobs have numbers
    """Only be counted."""
    mark()


def enqueue(numbers: Iterable[int]) -> None:
    """Enqueue one by one."""
    call_command("migrate", verbosity=0)
    for number in numbers:
        noop.enqueue(number)


if __name__ == "__main__":
    execute_from_command_line(sys.argv)
