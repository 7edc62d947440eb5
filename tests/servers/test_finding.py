"""Finding servers on this machine, and getting them."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.finding import KINDS, POSTGRES, Kind, ServerMissing, embedded_programs
from tests.servers.keeping import ROOT
from tests.servers.support import environment

INSTALL = ROOT / "scripts" / "install-servers"
WITH_MYSQL = ROOT / "scripts" / "with-mysql"


def kind_in(*folders: str) -> Kind:
    return dataclasses.replace(POSTGRES, folders=folders, program="elephantd", embedded=None)


def programs(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch(0o755)
    return folder


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in KINDS:
        monkeypatch.delenv(kind.variable, raising=False)


def test_the_newest_version_is_taken(tmp_path: Path) -> None:
    for version in ("9.6", "14", "8.4"):
        programs(tmp_path / version / "bin", "elephantd", "initdb")
    assert kind_in(f"{tmp_path}/*/bin").folder() == tmp_path / "14" / "bin"


def test_what_is_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tmp_path / "14" / "bin", "elephantd", "initdb")
    mine = programs(tmp_path / "mine", "elephantd", "initdb")
    monkeypatch.setenv("PATH", f"{mine}:{os.environ['PATH']}")
    assert kind_in(f"{tmp_path}/*/bin").folder() == mine


def test_a_folder_without_all_the_programs_is_passed_over(tmp_path: Path) -> None:
    programs(tmp_path / "15", "elephantd")
    complete = programs(tmp_path / "14", "elephantd", "initdb")
    assert kind_in(f"{tmp_path}/*").folder() == complete


def test_a_missing_server_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ServerMissing) as missing:
        kind_in(f"{tmp_path}/*").source()
    assert str(missing.value) == (
        "No PostgreSQL: `elephantd` is not on this machine. Debian, Ubuntu: sudo apt-get install postgresql; "
        "macOS: brew install postgresql; "
        "or name a server: BACKBURNER_TEST_POSTGRES_URL=postgresql://user:password@host/"
    )


def test_a_named_server_needs_no_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKBURNER_TEST_POSTGRES_URL", "postgresql://elsewhere/")
    assert kind_in(f"{tmp_path}/*").source() == "BACKBURNER_TEST_POSTGRES_URL"


def test_the_programs_of_a_python_package_are_found_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "embedded_elephant"
    (older, newer) = (programs(package / name / "bin", "postgres") for name in ("pginstall", "pginstall18"))
    (package / "__init__.py").write_text("raise AssertionError('it was imported')")
    monkeypatch.syspath_prepend(tmp_path)
    assert list(embedded_programs("embedded_elephant")) == [newer, older]
    assert list(embedded_programs("no_such_elephant")) == []


def test_the_script_says_in_one_line_what_is_there() -> None:
    done = install(**{kind.variable: kind.example or "none" for kind in KINDS})
    assert done == (
        "Test servers: PostgreSQL (BACKBURNER_TEST_POSTGRES_URL), MariaDB (BACKBURNER_TEST_MYSQL_URL). "
        "No PgBouncer: BACKBURNER_TEST_PGBOUNCER=none says to do without\n"
    )


def test_the_script_installs_nothing_that_is_not_wanted() -> None:
    done = install(**{kind.variable: "none" for kind in KINDS})
    assert done.startswith("Test servers: none. No PostgreSQL: ")


# MySQL in the place of MariaDB.


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder with what the script needs, and no apt-get."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "dirname", "grep", "printenv"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return folder


def mysqld(folder: Path, version: str) -> str:
    (folder / "mysqld").write_text(f"#!/bin/sh\necho mysqld Ver {version}\n")
    (folder / "mysqld").chmod(0o755)
    return f"{folder}/mysqld"


def with_mysql(folder: Path, **variables: str) -> tuple[int, str]:
    """Let the script run a command that tells which MySQL it is given; return its code and what it says."""
    done = subprocess.run(
        [str(WITH_MYSQL), str(folder / "unpacked"), "printenv", "BACKBURNER_TEST_MYSQLD"],
        env={"PATH": str(folder), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


def test_a_mysql_that_is_named_is_used(bare: Path) -> None:
    said = "The tests of MySQL with /there/mysqld\n/there/mysqld\n"
    assert with_mysql(bare, BACKBURNER_TEST_MYSQLD="/there/mysqld") == (0, said)


def test_a_mysql_on_the_path_is_used(bare: Path) -> None:
    path = mysqld(bare, "9.7.4 for Linux")
    assert with_mysql(bare) == (0, f"The tests of MySQL with {path}\n{path}\n")


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_a_mysqld_that_is_mariadbs_is_none(bare: Path, ci: str, code: int) -> None:
    mysqld(bare, "10.11.6-MariaDB-0+deb12u1")
    ended, said = with_mysql(bare, CI=ci)
    assert ended == code
    assert said.startswith("!!! NOT RUN: the tests with MySQL.")


def test_mysql_takes_the_place_of_mariadb(bare: Path) -> None:
    command = [sys.executable, "-m", "tests.servers.finding"]
    variables = environment(BACKBURNER_TEST_MYSQLD=mysqld(bare, "9.7.4 for Linux"))
    said = subprocess.run(command, check=True, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True).stdout
    assert f"MySQL ({bare})" in said
    assert "MariaDB" not in said


def install(**variables: str) -> str:
    """Run the script where nothing is left to install and return what it says."""
    command = [str(INSTALL), sys.executable]
    return subprocess.run(
        command, check=True, env=environment(**variables), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ).stdout
