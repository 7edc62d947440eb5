"""MariaDB and MySQL servers: one that is somewhere, and one that we start, stop, kill and pause ourselves."""

from __future__ import annotations

import contextlib
import shutil
import signal
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

from tests.servers import processes
from tests.servers.finding import MARIADB, MYSQL, ServerMissing
from tests.servers.keeper import Order
from tests.servers.keeping import Daemon, current_run, free_port, remove, run_as
from tests.servers.urls import with_parts

if TYPE_CHECKING:
    from pymysql.connections import Connection

# What only one of the two knows begins with `loose`: the other passes over it.
TEMPLATE_SETTINGS = {
    # Small files: each server begins with a copy of them.
    "loose-innodb-log-file-size": "32M",
    "loose-innodb-redo-log-capacity": "32M",
    "loose-innodb-undo-tablespaces": "0",
    "skip-log-bin": "",
}
FAST: dict[str, str] = {
    **TEMPLATE_SETTINGS,
    # What is lost when the machine goes down. A killed server loses nothing of what it has confirmed.
    "innodb-flush-log-at-trx-commit": "2",
    "innodb-doublewrite": "0",
    "innodb-buffer-pool-size": "64M",
}
DURABLE: dict[str, str] = {}

ALWAYS = {
    "bind-address": "127.0.0.1",
    "loose-mysqlx": "OFF",
    "character-set-server": "utf8mb4",
    "max-connections": "300",
}


class MySQL:
    """A MariaDB or MySQL server somewhere, with an administrator's URL."""

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url

    def url(self, database: str | None = None, *, user: str | None = None, password: str | None = None) -> str:
        """Return the URL of a database, for the administrator or for another user."""
        return with_parts(self.admin_url, database=database, user=user, password=password)

    def execute_as_admin(
        self, sql: str, parameters: Sequence[Any] | None = None, *, database: str | None = None
    ) -> list[tuple[Any, ...]]:
        """Run a statement and commit it, on a connection of its own; return the rows if it has some."""
        connection = self.connect(database)
        with connection, connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            connection.commit()
            return list(cursor.fetchall())

    def connect(self, database: str | None = None) -> Connection[Any]:
        """Return a connection to a database, which begins transactions by itself."""
        import pymysql

        parts = urlsplit(self.url(database))
        return pymysql.connect(
            host=parts.hostname,
            port=parts.port or 3306,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            database=unquote(parts.path.lstrip("/")) or None,
            charset="utf8mb4",
            ssl_disabled=parts.query == "ssl_disabled=true",
        )

    def create_database(self) -> str:
        """Create an empty database and return its name."""
        name = f"test_{uuid.uuid4().hex}"
        self.execute_as_admin(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database; those who are connected to it are disconnected, or the drop could wait for their locks."""
        for (number,) in self.execute_as_admin("SELECT id FROM information_schema.processlist WHERE db = %s", [name]):
            self.disconnect(number)
        self.execute_as_admin(f"DROP DATABASE IF EXISTS {name}")

    def disconnect(self, number: int) -> None:
        """End a connection, which may have ended meanwhile."""
        import pymysql

        with contextlib.suppress(pymysql.err.OperationalError):
            self.execute_as_admin(f"KILL {number}")

    @contextlib.contextmanager
    def fresh_database(self) -> Iterator[str]:
        """Give the URL of an empty database that is dropped afterwards."""
        name = self.create_database()
        try:
            yield self.url(name)
        finally:
            self.drop_database(name)

    def create_user(self, name: str, password: str) -> None:
        """Create a user who may log in with the password and may do nothing else."""
        self.execute_as_admin(f"CREATE USER {name} IDENTIFIED BY '{password}'")

    def drop_user(self, name: str) -> None:
        self.execute_as_admin(f"DROP USER IF EXISTS {name}")

    @property
    def version(self) -> str:
        """Return what the server says of itself, such as 10.11.6-MariaDB-0+deb12u1."""
        return str(self.execute_as_admin("SELECT version()")[0][0])

    @property
    def is_mariadb(self) -> bool:
        return "mariadb" in self.version.lower()


class MySQLServer(MySQL):
    """A MariaDB or MySQL server of our own, made when it is entered and gone when it is left."""

    def __init__(self, settings: Mapping[str, str] = FAST, *, shared: bool = False) -> None:
        self.run = current_run()
        self.user = processes.server_user("mysql")
        self.programs = MYSQL.folder()
        self.folder = self.run.make_folder("mysql", self.user)
        self.port = free_port()
        super().__init__(f"mysql://root@127.0.0.1:{self.port}/")
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

    def stop(self) -> None:
        """Shut down: clients are disconnected, what they had not committed is rolled back."""
        self.daemon.signal(signal.SIGTERM)
        self.daemon.wait()

    def kill(self) -> None:
        """Kill the server in the middle of what it does."""
        self.daemon.kill()

    def pause(self) -> None:
        """Stop the server where it is: connections stay open and nobody answers."""
        self.daemon.pause()

    def resume(self) -> None:
        self.daemon.resume()

    def close(self) -> None:
        """End the server, whatever state it is in, and remove its data."""
        if self.daemon.running:
            self.kill()
        remove(self.folder)

    def copy_template(self) -> None:
        template = self.run.once("mysql-template", self.make_template)
        run_as(self.user, "cp", "-R", template, self.folder / "data", cwd=self.folder)

    def make_template(self) -> str:
        folder = self.run.make_folder("mysql-template", self.user)
        run_as(
            self.user,
            *installing(self.programs),
            f"--datadir={folder / 'data'}",
            *options(TEMPLATE_SETTINGS),
            cwd=folder,
        )
        return str(folder / "data")

    def order(self, settings: Mapping[str, str], shared: bool) -> Order:
        fixed = {
            **ALWAYS,
            "port": str(self.port),
            "datadir": str(self.folder / "data"),
            "tmpdir": str(self.folder),
            "socket": str(self.folder / "socket"),
            "pid-file": str(self.folder / "pid"),
        }
        return Order(
            command=[str(self.programs / MYSQL.program), "--no-defaults", *options({**fixed, **settings})],
            user=self.user,
            ready="ready for connections",
            log=str(self.folder / "log"),
            shared=shared,
        )


def options(settings: Mapping[str, str]) -> list[str]:
    return [f"--{name}={value}" if value else f"--{name}" for name, value in settings.items()]


def installing(programs: Path) -> list[str | Path]:
    """Return the command that makes a data folder in which root has no password."""
    if MYSQL is not MARIADB:
        return [programs / MYSQL.program, "--no-defaults", "--initialize-insecure"]
    return [
        install_program(programs),
        "--no-defaults",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
    ]


def install_program(programs: Path) -> Path:
    """Return the program that makes a data folder, which many systems keep apart from the server."""
    path = f"{programs}:{programs.parent / 'bin'}:/usr/bin"
    found = shutil.which("mariadb-install-db", path=path) or shutil.which("mariadb-install-db")
    if found is None:
        raise ServerMissing(f"No MariaDB: `mariadb-install-db` is not on this machine. {MARIADB.how_to_get()}")
    return Path(found)
