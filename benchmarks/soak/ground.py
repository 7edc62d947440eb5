"""Where a soak takes place: a database of its own, and what may happen to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.mysql import MySQLServer
from tests.servers.postgres import PostgresServer
from tests.servers.proxy import Proxy

STORES = ("sqlite", "postgres", "mariadb")


@dataclass(frozen=True, slots=True)
class Ground:
    """A database, and what can go wrong with it; None where nothing can."""

    url: str
    """As the processes reach it: through a proxy, where there is a server."""
    direct_url: str
    cut: Callable[[], None] | None = None
    """Cut all connections."""
    restart: Callable[[], None] | None = None
    """Kill the server and start it again."""

    @property
    def faults(self) -> frozenset[str]:
        """The classes of faults that must happen here."""
        return frozenset({"kill", "stop"} if self.restart is None else {"kill", "stop", "cut", "server"})


@contextmanager
def ground_of(store: str, folder: Path) -> Iterator[Ground]:
    """Make a database of this kind, which is gone after the block. Raises ServerMissing."""
    if store == "sqlite":
        url = f"sqlite:///{folder}/jobs.db"
        yield Ground(url, url)
        return
    make: type[PostgresServer | MySQLServer] = PostgresServer if store == "postgres" else MySQLServer
    with make() as server, server.fresh_database() as url, Proxy(url) as proxy:

        def restart() -> None:
            server.kill()
            server.start()

        yield Ground(proxy.url, url, proxy.cut, restart)
