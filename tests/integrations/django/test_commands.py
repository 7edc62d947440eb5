"""`manage.py backburner …`."""

from __future__ import annotations

import json

import pytest

from tests.integrations.django.conftest import Project

ENQUEUE = """
from django.core.management import call_command
from backburner import delay
call_command("migrate", verbosity=0)
import shop.jobs
from shop.models import Customer
ann = Customer.objects.create(name="Ann")
for number in range(4):
    delay(shop.jobs).rename(ann, f"Ann {number}")
"""

WAIT = """
from time import monotonic, sleep
from backburner import jobs
end = monotonic() + 30
while jobs.count() and monotonic() < end:
    sleep(0.02)
assert jobs.count() == 0
"""

CALL = "from django.core.management import call_command; call_command('backburner', 'workoff', '--limit', '1')"


@pytest.fixture
def busy(project: Project) -> Project:
    """The project with four jobs of an app whose modules no worker has imported."""
    project.manage("shell", "-v", "0", "-c", ENQUEUE)
    return project


@pytest.mark.parametrize("options", [("--processes", "2"), ("--processes", "2", "--spawn")])
def test_work_performs_the_projects_jobs(busy: Project, options: tuple[str, ...]) -> None:
    said = busy.manage("backburner", "work", "--exit-on-complete", *options)
    assert said.count("job succeeded name=jobs.rename") == 4, said


def test_each_command_is_about_the_projects_app(busy: Project) -> None:
    assert len(json.loads(busy.manage("backburner", "jobs", "list", "--json"))) == 4
    assert "1 succeeded, 0 failed" in busy.manage("shell", "-v", "0", "-c", CALL)
    assert "3 succeeded, 0 failed" in busy.manage("backburner", "workoff", "--quiet", "--settings", "config.settings")


def test_exit_codes_are_those_of_backburner(project: Project) -> None:
    assert "no job has the id" in project.manage("backburner", "jobs", "show", "nothing", code=1)
    assert "unknown command" in project.manage("backburner", "wrok", code=2)


def test_a_worker_in_the_background(busy: Project) -> None:
    pids = str(busy.home / "pids")
    busy.manage("backburner", "start", "--pid-dir", pids)
    try:
        assert "running" in busy.manage("backburner", "status", "--pid-dir", pids)
        busy.manage("shell", "-v", "0", "-c", WAIT)
    finally:
        busy.manage("backburner", "stop", "--pid-dir", pids)
    busy.manage("backburner", "status", "--pid-dir", pids, code=3)


def test_the_help_says_how_it_is_called(project: Project) -> None:
    shown = project.manage("backburner", "work", "--help")
    assert "usage: manage.py backburner work" in shown
    assert "manage.py backburner work shop --queues mail,default" in shown
    assert "the one of this project" in project.manage("backburner", "--help")
