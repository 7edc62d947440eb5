"""PostgreSQL servers: one that is somewhere, and one that we start, stop, kill and pause ourselves."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.servers import processes
from tests.servers.finding import POSTGRES
from tests.servers.keeper import Order
from tests.servers.keeping import Daemon, Run, current_run, free_port, remove, run_as
from tests.servers.urls import with_parts

FAST: dict[str, str] = {
    # What is lost when the machine goes down. A killed server loses nothing of what it has confirmed.
    "fsync": "off",
    "full_page_writes": "off",
}
DURABLE: dict[str, str] = {}

ALWAYS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "dynamic_shared_memory_type": "mmap",  # in the data folder: nothing is left in /dev/shm by a killed server
    "logging_collector": "off",
}

STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}

# The members of this group are asked for their password; everybody else from this machine comes in.
GUARDED = "guarded_users"
AUTHENTICATION = f"""\
local all +{GUARDED} scram-sha-256
host  all +{GUARDED} all scram-sha-256
local all all trust
host  all all all trust
"""

READY_FOR_QUERY = b"Z\x00\x00\x00\x05I"
"""What the server sends when it has done all that it was asked and no transaction is open; for `Proxy.lose_reply`."""


class Postgres:
    """A PostgreSQL server somewhere, with an administrator's URL."""

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url

    def url(self, database: str | None = None, *, user: str | None = None, password: str | None = None) -> str:
        """Return the URL of a database, for the administrator or for another user."""
        return with_parts(self.admin_url, database=database, user=user, password=password)

    def execute_as_admin(
        self, sql: str, parameters: Sequence[Any] | None = None, *, database: str | None = None
    ) -> list[tuple[Any, ...]]:
        """Run a statement outside of any transaction, on a connection of its own; return the rows if it has some."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(sql.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def create_database(self) -> str:
        """Create an empty database and return its name."""
        name = f"test_{uuid.uuid4().hex}"
        self.execute_as_admin(f"CREATE DATABASE {name} TEMPLATE template0")
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, with the connections that are still open to it."""
        self.execute_as_admin(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    @contextlib.contextmanager
    def fresh_database(self) -> Iterator[str]:
        """Give the URL of an empty database that is dropped afterwards."""
        name = self.create_database()
        try:
            yield self.url(name)
        finally:
            self.drop_database(name)

    def create_user(self, name: str, password: str) -> None:
        """Create a user who may log in, may do nothing else, and is asked for the password."""
        self.execute_as_admin(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
        if self.execute_as_admin("SELECT 1 FROM pg_roles WHERE rolname = %s", [GUARDED]):
            self.execute_as_admin(f"GRANT {GUARDED} TO {name}")

    def drop_user(self, name: str) -> None:
        self.execute_as_admin(f"DROP ROLE IF EXISTS {name}")

    @property
    def version(self) -> int:
        """Return the server's version as it gives it itself: 150008 is 15.8."""
        return int(self.execute_as_admin("SHOW server_version_num")[0][0])


class PostgresServer(Postgres):
    """A PostgreSQL server of our own, made when it is entered and gone when it is left."""

    def __init__(self, settings: Mapping[str, str] = FAST, *, shared: bool = False) -> None:
        self.run = current_run()
        self.user = processes.server_user("postgres")
        self.programs = usable_programs(self.run, self.user)
        self.folder = self.run.make_folder("pg", self.user)  # short: the path of its socket may have 103 characters
        self.port = free_port()
        super().__init__(f"postgresql://postgres@127.0.0.1:{self.port}/postgres")
        self.copy_template()
        self.daemon = Daemon(self.run, self.order(settings, shared))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the server, for the first time or again; return when it takes connections."""
        self.daemon.start()

    def stop(self, mode: str = "fast") -> None:
        """Shut down: "smart" waits for the clients, "fast" disconnects them, "immediate" does not even tidy up."""
        self.daemon.signal(STOP_SIGNALS[mode])
        self.daemon.wait()

    def kill(self) -> None:
        """Kill all processes of the server in the middle of what they do."""
        self.daemon.kill()
        forget_shared_memory(self.folder / "data")

    def pause(self) -> None:
        """Stop all processes of the server where they are: connections stay open and nobody answers."""
        self.daemon.pause()

    def resume(self) -> None:
        self.daemon.resume()

    def close(self) -> None:
        """End the server, whatever state it is in, and remove its data."""
        if self.daemon.running:
            self.resume()
            self.stop("immediate")
        remove(self.folder)

    def copy_template(self) -> None:
        template = self.run.once("postgres-template", self.make_template)
        run_as(self.user, "cp", "-R", template, self.folder / "data", cwd=self.folder)

    def make_template(self) -> str:
        folder = self.run.make_folder("postgres-template", self.user)
        data = folder / "data"
        run_as(
            self.user,
            self.programs / "initdb",
            f"--pgdata={data}",
            "--username=postgres",
            "--encoding=UTF8",
            "--no-locale",
            "--auth=trust",
            "--no-sync",
            "--no-instructions",
            cwd=folder,
        )
        (data / "pg_hba.conf").write_text(AUTHENTICATION)
        sql = folder / "roles.sql"
        sql.write_text(f"CREATE ROLE {GUARDED}\n")
        with sql.open() as statements:
            single_user = ["--single", "-D", str(data), "-c", "fsync=off", "postgres"]
            run_as(self.user, self.programs / "postgres", *single_user, cwd=folder, stdin=statements)
        return str(data)

    def order(self, settings: Mapping[str, str], shared: bool) -> Order:
        fixed = {**ALWAYS, "port": str(self.port), "unix_socket_directories": str(self.folder)}
        options = [f"--{name}={value}" for name, value in {**fixed, **settings}.items()]
        return Order(
            command=[str(self.programs / "postgres"), "-D", str(self.folder / "data"), *options],
            user=self.user,
            ready="database system is ready to accept connections",
            log=str(self.folder / "log"),
            end=signal.SIGQUIT,
            shared=shared,
        )


def usable_programs(run: Run, user: str | None) -> Path:
    """Return the folder of the programs, copied if the user cannot reach them where they are (in root's home)."""
    programs = POSTGRES.folder()
    try:
        run_as(user, programs / "postgres", "--version", cwd=run.folder)
    except PermissionError:
        return Path(run.once("postgres-programs", lambda: copy_of_package(programs, run)))
    return programs


def copy_of_package(programs: Path, run: Run) -> str:
    """Copy the programs that a Python package brings along, and its folder of libraries, which they look for there."""
    package = programs.parents[1]
    target = run.make_folder("postgres-programs", None)
    target.chmod(0o755)
    run_as(None, "cp", "-R", *package.parent.glob(f"{package.name}*"), target, cwd=run.folder)
    return str(target / programs.relative_to(package.parent))


def forget_shared_memory(data: Path) -> None:
    """Remove the small System V segment that a killed server leaves behind; the next one makes a new one."""
    lines = (data / "postmaster.pid").read_text().splitlines()
    if len(lines) > 6:
        subprocess.run(["ipcrm", "-m", lines[6].split()[1]], check=False, capture_output=True)
