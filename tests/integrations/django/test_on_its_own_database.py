"""The project on its own database: jobs in Django's transactions, migrations, checks, workers."""

from __future__ import annotations

from tests.integrations.django.conftest import Project
from tests.integrations.shares import share_of

PROGRAMS = 200


def test_jobs_are_in_djangos_transactions(each_project: Project) -> None:
    each_project.work("joining")


def test_the_job_exists_if_and_only_if_the_row_does(each_project: Project) -> None:
    each_project.work("properties", SHOP_PROGRAMS=str(share_of(PROGRAMS)))


def test_workers_manage_djangos_connections(each_project: Project) -> None:
    each_project.work("working")


def test_the_tables_are_made_by_djangos_migrations(each_project: Project) -> None:
    each_project.work("migrations", "--empty")


def test_wrong_settings_and_missing_tables_are_found_by_system_checks(each_project: Project) -> None:
    each_project.work("checking")


def test_apps_that_the_project_makes_itself(each_project: Project) -> None:
    each_project.work("by_hand")
