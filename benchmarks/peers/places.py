"""Where jobs are kept: each turn begins with an empty place."""

from __future__ import annotations

import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from benchmarks.databases.postgres import SHOWN
from benchmarks.peers.redis import redis_server
from benchmarks.servers import postgres_at
from tests.servers.postgres import Postgres


class Places:
    """The kinds of places. A server of PostgreSQL is started when it is first needed, and ends with the block."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._postgres: Postgres | None = None
        self._fresh: dict[str, Callable[[], AbstractContextManager[str]]] = {
            "sqlite": lambda: _sqlite(""),
            "sqlite-full": lambda: _sqlite("?synchronous=FULL"),
            "postgres": lambda: self._server().fresh_database(),
            "redis": lambda: redis_server({}),
            "redis-fsync": lambda: redis_server({"appendonly": "yes", "appendfsync": "always"}),
        }

    def __enter__(self) -> Places:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def fresh(self, place: str) -> AbstractContextManager[str]:
        """Give the URL of an empty place, which is gone after the block. Raises ServerMissing, NotDurable."""
        return self._fresh[place]()

    def described(self, place: str) -> str:
        """Return the version of what keeps the jobs there, and what it was told that matters."""
        if place.startswith("sqlite"):
            return f"SQLite {sqlite3.sqlite_version}, WAL, synchronous={DURABILITY[place]}"
        if place.startswith("redis"):
            return f"Redis {_redis_version()}, {DURABILITY[place]}"
        server = self._server()
        shown = [f"{name}={server.execute_as_admin(f'SHOW {name}')[0][0]}" for name in SHOWN]
        return f"PostgreSQL {server.execute_as_admin('SHOW server_version')[0][0]}, {', '.join(shown)}"

    def _server(self) -> Postgres:
        if self._postgres is None:
            self._postgres, _ = self._stack.enter_context(postgres_at(None))
        return self._postgres


DURABILITY = {
    "sqlite": "NORMAL",
    "sqlite-full": "FULL",
    "redis": "as it comes: snapshots, no fsync for a write",
    "redis-fsync": "appendonly yes, appendfsync always",
}


@contextmanager
def _sqlite(parameters: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="backburner-peers-") as folder:
        yield f"sqlite:///{Path(folder) / 'jobs.db'}{parameters}"


def _redis_version() -> str:
    said = subprocess.run(["redis-server", "--version"], capture_output=True, text=True, check=True).stdout
    return next(word for word in said.split() if word.startswith("v=")).removeprefix("v=")
