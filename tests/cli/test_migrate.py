"""The command `backburner migrate`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from backburner import Backburner
from tests.cli.conftest import Call
from tests.cli.support import make_newer


def test_migrate_makes_the_tables_once(call: Call, url: str, here: Path) -> None:
    first = call("migrate")
    assert (first.code, first.err) == (0, "")
    assert first.out == f"applied 0001_jobs\nthe tables in {url} are up to date (version 1)\n"
    assert call("migrate").out == f"the tables in {url} are up to date (version 1)\n"


def test_migrate_as_json(call: Call, url: str) -> None:
    assert call("migrate", "--json").json == {"applied": ["0001_jobs"], "version": 1, "needed_version": 1}
    assert call("migrate", "--json").json == {"applied": [], "version": 1, "needed_version": 1}


def test_check_says_whether_it_is_needed_and_makes_nothing(call: Call, url: str, here: Path) -> None:
    needed = call("migrate", "--check")
    assert needed.code == 1
    assert needed.out == f"the tables in {url} are missing, version 1 is needed: run `backburner migrate`\n"
    assert call("migrate", "--check", "--json").json == {"needed": True, "version": 0, "needed_version": 1}
    assert not (here / "jobs.db").exists()
    call("migrate")
    current = call("migrate", "--check")
    assert (current.code, current.out) == (0, f"the tables in {url} are up to date (version 1)\n")


def test_check_says_when_the_code_is_too_old(call: Call, app: Backburner, here: Path) -> None:
    make_newer(app, here)
    result = call("migrate", "--check")
    assert result.code == 1
    assert "are newer (version 99) than this code (1): upgrade backburner" in result.out


def test_sql_prints_what_makes_the_tables_and_touches_nothing(call: Call, url: str, here: Path) -> None:
    sql = call("migrate", "--sql").out
    assert not (here / "jobs.db").exists()
    assert call("migrate", "--sql", "--json").json["sql"].rstrip() == sql.rstrip()
    connection = sqlite3.connect(here / "jobs.db")
    connection.executescript(sql)
    connection.close()
    assert call("migrate", "--check").code == 0
