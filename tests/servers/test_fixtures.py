"""Which server the tests get, and what is said when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.mysql import MySQL
from tests.servers.postgres import Postgres
from tests.servers.support import run_pytest

NONE = {
    "BACKBURNER_TEST_POSTGRES_URL": "none",
    "BACKBURNER_TEST_MYSQL_URL": "none",
    "BACKBURNER_TEST_PGBOUNCER": "none",
}
TESTS = """\
def test_without(): pass
def test_postgres(postgres_url): print(postgres_url)
def test_mysql(mysql_url): print(mysql_url)
def test_pgbouncer(pgbouncer_url): pass
def test_private_postgres(private_postgres): pass
def test_private_mysql(private_mysql): pass
"""


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_tests_whose_server_is_missing_are_skipped_and_that_is_said_loudly(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    done = run_pytest(tmp_path, TESTS, *options, **NONE)
    assert done.returncode == 0
    assert "1 passed, 5 skipped" in done.stdout
    assert " TEST SERVERS ARE MISSING " in done.stdout
    assert "SKIPPED 3 tests: No PostgreSQL: BACKBURNER_TEST_POSTGRES_URL=none says to do without" in done.stdout
    assert "SKIPPED 2 tests: No MariaDB: BACKBURNER_TEST_MYSQL_URL=none says to do without" in done.stdout


def test_nothing_is_said_when_no_test_was_skipped_for_that(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "import pytest\ndef test_it(): pytest.skip('no reason')\n", **NONE)
    assert "1 skipped" in done.stdout
    assert "MISSING" not in done.stdout


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_a_missing_server_is_an_error_where_nobody_reads_the_summary(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = run_pytest(tmp_path, TESTS, *options, CI="true", **NONE)
    assert done.returncode != 0
    assert "passed" not in done.stdout
    assert "CI=true, so that every test server must be there." in done.stderr
    assert "No MariaDB: BACKBURNER_TEST_MYSQL_URL=none says to do without" in done.stderr


def test_servers_that_the_environment_names_are_used(
    tmp_path: Path, postgres_server: Postgres, mysql_server: MySQL
) -> None:
    urls = {
        "BACKBURNER_TEST_POSTGRES_URL": postgres_server.admin_url,
        "BACKBURNER_TEST_MYSQL_URL": mysql_server.admin_url,
    }
    done = run_pytest(tmp_path, TESTS, "-s", "-k", "test_postgres or test_mysql", **urls)
    assert "2 passed" in done.stdout, done.stdout
    assert postgres_server.url("test_") in done.stdout
    assert mysql_server.url("test_") in done.stdout


def test_a_named_server_that_does_not_answer_is_an_error_and_not_a_reason_to_skip(tmp_path: Path) -> None:
    named = {"BACKBURNER_TEST_POSTGRES_URL": "postgresql://postgres@127.0.0.1:1/postgres"}
    done = run_pytest(tmp_path, TESTS, "-k", "test_postgres", **named)
    assert "1 error" in done.stdout
    assert done.returncode != 0
