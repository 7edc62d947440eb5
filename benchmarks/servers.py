"""Database servers to measure: ones that are given by a URL, and ones that are started with full durability.

A server that is started is what its packages install, but for what `POSTGRES_SETTINGS` and `MARIADB_SETTINGS` say. Its
data lies in the system's folder for temporary files, which must be on a disk; TMPDIR names another.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.mysql import MySQL, MySQLServer
from tests.servers.postgres import Postgres, PostgresServer

POSTGRES_SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "256MB",
}

MARIADB_SETTINGS = {
    "innodb-flush-log-at-trx-commit": "1",
    "innodb-doublewrite": "1",
    "innodb-buffer-pool-size": "256M",
    "loose-innodb-undo-tablespaces": "0",  # as in the data folder that the tests' servers begin with
}

IN_MEMORY = ("tmpfs", "ramfs")


class NotDurable(Exception):
    """The data of a server would not be on a disk."""


@dataclass(frozen=True, slots=True)
class Process:
    """The process of a server that was started here."""

    pid: int
    log: Path


@contextmanager
def postgres_at(url: str | None) -> Iterator[tuple[Postgres, Process | None]]:
    """Use the PostgreSQL server of an administrator's URL, or start one. Raises ServerMissing, NotDurable."""
    if url is not None:
        yield Postgres(url), None
        return
    with PostgresServer(POSTGRES_SETTINGS) as server:
        _refuse_memory(server.folder)
        yield server, Process(server.daemon.pid, server.folder / "log")


@contextmanager
def mariadb_at(url: str | None) -> Iterator[tuple[MySQL, Process | None]]:
    """Use the MariaDB or MySQL server of an administrator's URL, or start one. Raises ServerMissing, NotDurable."""
    if url is not None:
        yield MySQL(url), None
        return
    with MySQLServer(MARIADB_SETTINGS) as server:
        _refuse_memory(server.folder)
        yield server, Process(server.daemon.pid, server.folder / "log")


def _refuse_memory(folder: Path) -> None:
    kind = _filesystem_of(folder)
    if kind in IN_MEMORY:
        raise NotDurable(f"expected {folder} on a disk, as commits are to be durable, got {kind}: set TMPDIR")


def _filesystem_of(folder: Path) -> str:
    """Return the kind of filesystem that a folder is on (Linux); nothing where that is not known."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return ""
    places = [line.split()[1:3] for line in mounts.read_text().splitlines()]
    holding = [(place, kind) for place, kind in places if _is_below(folder, place)]
    return max(holding, key=lambda found: len(found[0]))[1]


def _is_below(folder: Path, place: str) -> bool:
    return os.path.commonpath([folder.resolve(), place]) == place
