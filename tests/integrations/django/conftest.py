"""The project in `project/`, on a database of the test's own, as other processes run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent / "project"
ROOT = Path(__file__).parents[3]
SECONDS = 100

DATABASES = ("sqlite", "postgres", "mysql")


class Project:
    """Runs the commands of the project in processes, with settings of a test's own."""

    def __init__(self, home: Path, url: str) -> None:
        self.home = home
        self.environment = {
            "SHOP_HOME": str(home),
            "SHOP_URL": url,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(PROJECT)]),
        }

    def run(self, *arguments: str, code: int | None = 0, **environment: str) -> str:
        """Run a program of the project's, expect this exit code, and return what it printed."""
        process = subprocess.run(
            [sys.executable, "-W", "error", *arguments],
            cwd=self.home,
            env={**os.environ, **self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
        )
        assert code is None or process.returncode == code, process.stdout
        return process.stdout

    def manage(self, *arguments: str, code: int | None = 0, **environment: str) -> str:
        """Run `manage.py`."""
        return self.run(str(PROJECT / "manage.py"), *arguments, code=code, **environment)

    def test(self, module: str, *options: str, **environment: str) -> None:
        """Run tests of the project's with Django's runner, in a test database."""
        said = self.manage("test", f"shop.inside.{module}", "--noinput", *options, **environment)
        assert_some_ran(said)

    def work(self, module: str, *options: str, **environment: str) -> None:
        """Run tests of the project's on its own database, which is migrated, as a program that is no test has it."""
        assert_some_ran(self.run("-m", "shop.outside", f"shop.outside.{module}", *options, **environment))


def assert_some_ran(said: str) -> None:
    assert "Ran " in said, said
    assert "Ran 0 tests" not in said, said


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def project(home: Path) -> Project:
    """The project on SQLite."""
    return Project(home, "")


@pytest.fixture(params=DATABASES)
def each_project(request: pytest.FixtureRequest, home: Path) -> Project:
    """The project on one database after the other."""
    url = "" if request.param == "sqlite" else request.getfixturevalue(f"{request.param}_url")
    return Project(home, url)
