"""`django.tasks` with backburner's backend: from Django 6.0 on, or with the package django-tasks."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.integrations.django.conftest import Project

pytestmark = pytest.mark.skipif(
    find_spec("django.tasks") is None and find_spec("django_tasks") is None,
    reason="expected Django 6.0 or newer, or the package django-tasks",
)

WITHOUT_TASKS = """
import sys
sys.modules["django.tasks"] = sys.modules["django_tasks"] = None  # as if neither was installed
import backburner.integrations.django
backburner.integrations.django.TaskBackend
"""


@pytest.fixture
def with_tasks(each_project: Project) -> Project:
    each_project.environment["DJANGO_SETTINGS_MODULE"] = "config.tasks_settings"
    return each_project


def test_tasks_in_djangos_test_cases(with_tasks: Project) -> None:
    with_tasks.test("tasking")


def test_tasks_in_transactions_and_workers(with_tasks: Project) -> None:
    with_tasks.work("tasking")


def test_tasks_in_a_project_without_time_zones(project: Project) -> None:
    project.work("tasking", DJANGO_SETTINGS_MODULE="config.tasks_settings", SHOP_USE_TZ="no")


def test_tasks_in_processes_of_their_own(project: Project) -> None:
    options = '{"ISOLATION": "process", "MAX_ATTEMPTS": 2}'
    program = (
        "from shop import tasks; from backburner import current; r = tasks.add.enqueue(1, 2); "
        "print(current().worker().work_off()); r.refresh(); "
        "print(r.status, r.return_value, len(r.worker_ids), tasks.DONE)"
    )
    project.environment |= {"DJANGO_SETTINGS_MODULE": "config.tasks_settings", "SHOP_TASK_OPTIONS": options}
    project.manage("migrate", "--verbosity=0")
    said = project.manage("shell", "--no-imports", "-c", program)
    assert said.splitlines()[-2:] == ["(1, 0)", "SUCCESSFUL 3 1 []"]


def test_without_djangos_tasks_there_is_a_clear_error(project: Project) -> None:
    said = project.run("-c", WITHOUT_TASKS, code=1, DJANGO_SETTINGS_MODULE="config.settings")
    assert "expected Django 6.0 or newer for TASKS, got" in said.splitlines()[-1]
    assert "`pip install django-tasks`" in said.splitlines()[-1]
