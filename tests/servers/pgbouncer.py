"""PgBouncer in transaction mode in front of a PostgreSQL server."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from tests.servers import processes
from tests.servers.finding import PGBOUNCER
from tests.servers.keeper import Order
from tests.servers.keeping import Daemon, current_run, free_port, remove
from tests.servers.postgres import Postgres
from tests.servers.urls import with_parts


class PgBouncer:
    """A PgBouncer of our own. Everybody who comes in is the server's administrator to PostgreSQL."""

    def __init__(self, server: Postgres, *, pool_size: int = 2, settings: Mapping[str, str] | None = None) -> None:
        run = current_run()
        user = processes.server_user("postgres")
        self.admin_url = server.admin_url
        self.programs = PGBOUNCER.folder()
        self.folder = run.make_folder("pgbouncer", user)
        self.port = free_port()
        file = self.folder / "pgbouncer.ini"
        file.write_text(self.configuration({"default_pool_size": str(pool_size), **(settings or {})}))
        self.daemon = Daemon(run, self.order(file, user))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def url(self, database: str) -> str:
        """Return the URL of a database of the server through PgBouncer."""
        return self.url_of(with_parts(self.admin_url, database=database))

    def url_of(self, url: str) -> str:
        """Return a URL of the server, through PgBouncer."""
        return with_parts(url, host="127.0.0.1", port=self.port)

    def start(self) -> None:
        """Start it, for the first time or again; return when it takes connections."""
        self.daemon.start()

    def stop(self) -> None:
        """Stop it at once, with the connections of its clients."""
        self.daemon.signal(signal.SIGTERM)
        self.daemon.wait()

    def kill(self) -> None:
        self.daemon.kill()

    def pause(self) -> None:
        """Stop it where it is: connections stay open and nobody answers."""
        self.daemon.pause()

    def resume(self) -> None:
        self.daemon.resume()

    def close(self) -> None:
        """End it, whatever state it is in, and remove its files."""
        if self.daemon.running:
            self.kill()
        remove(self.folder)

    def configuration(self, settings: Mapping[str, str]) -> str:
        fixed = {
            "listen_addr": "127.0.0.1",
            "listen_port": str(self.port),
            "unix_socket_dir": "",
            "auth_type": "any",
            "pool_mode": "transaction",
            "max_client_conn": "500",
        }
        lines = [f"{name} = {value}" for name, value in {**fixed, **settings}.items()]
        return "\n".join(["[databases]", f"* = {self.server_line()}", "[pgbouncer]", *lines, ""])

    def server_line(self) -> str:
        parts = urlsplit(self.admin_url)
        where = {"host": parts.hostname, "port": parts.port or 5432}
        who = {"user": parts.username, "password": parts.password}
        return " ".join(f"{name}={quoted(str(value))}" for name, value in {**where, **who}.items() if value)

    def order(self, file: Path, user: str | None) -> Order:
        return Order(
            command=[str(self.programs / "pgbouncer"), str(file)],
            user=user,
            ready="process up",
            log=str(self.folder / "log"),
        )


def quoted(value: str) -> str:
    """Return a value for a connection string in PgBouncer's file, from the form that it has in a URL."""
    return "'" + unquote(value).replace("'", "''") + "'"
