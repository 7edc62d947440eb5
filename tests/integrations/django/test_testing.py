"""Django's own test runner and test databases: test cases with jobs, and the admin."""

from __future__ import annotations

from tests.integrations.django.conftest import Project


def test_djangos_test_cases(each_project: Project) -> None:
    each_project.test("testing")


def test_djangos_test_cases_in_processes_with_a_file_each(project: Project) -> None:
    project.test("testing", "--parallel", "2", SHOP_TEST_NAME=str(project.home / "test.sqlite3"))


def test_the_admin(each_project: Project) -> None:
    each_project.test("administering")


def test_mail_in_the_background(project: Project) -> None:
    project.test("mailing")
