"""Small things that the tests of the test servers need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg

from tests.servers.keeping import ROOT
from tests.servers.mysql import MySQL
from tests.servers.postgres import Postgres

SETTINGS = ("CI", "PYTEST_", "BACKBURNER_TEST_")


def rows(url: str, sql: str) -> list[tuple[object, ...]]:
    """Run a statement in a database and return its rows, if it has some."""
    server: Postgres | MySQL = Postgres(url) if url.startswith("postgres") else MySQL(url)
    return server.execute_as_admin(sql)


def table_with_a_row(connection: psycopg.Connection) -> None:
    connection.execute("CREATE TABLE notes (note text)")
    connection.execute("INSERT INTO notes VALUES ('here')")
    connection.commit()


def environment(**variables: str) -> dict[str, str]:
    """Return this environment without what is said about test runs in it, and with some variables more."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    return {**kept, **variables}


def run_pytest(folder: Path, code: str, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with the fixtures of the test servers, and nothing else of ours, on a file of tests."""
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    (folder / "test_inside.py").write_text(code)
    command = [sys.executable, "-m", "pytest", "-p", "tests.servers.fixtures", "-p", "no:cacheprovider", *options]
    return subprocess.run(
        [*command, "-c", str(folder / "pytest.ini"), str(folder / "test_inside.py")],
        check=False,
        cwd=ROOT,
        env=environment(**variables),
        capture_output=True,
        text=True,
    )
