"""What is wrong or risky about an SQLite database."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator

from backburner.core.ops import Op, Reply, Statement
from backburner.stores.sql.sqlite.file import MEMORY, SQLiteFile

SAFE_VERSION = (3, 51, 3)
_ON_A_NETWORK = "9p afpfs afs beegfs ceph cifs fuse.sshfs glusterfs lustre nfs nfs4 smb3 smbfs virtiofs"
NETWORK_FILESYSTEMS = frozenset(_ON_A_NETWORK.split(" "))


def problems_of(file: SQLiteFile) -> list[str]:
    """Return a sentence for each problem."""
    if file.path == MEMORY:
        return ["The jobs are in the memory of one process: no other process sees them, and they end with it."]
    return [*_of_the_library(sqlite3.sqlite_version_info), *_of_the_place(file.path), *_of_the_journal(file)]


def _of_the_library(version: tuple[int, ...]) -> Iterator[str]:
    if version < SAFE_VERSION:
        safe, found = (".".join(map(str, each)) for each in (SAFE_VERSION, version))
        yield (
            f"SQLite {found} can, very rarely, damage a database that several processes write at once: "
            f"use a Python with SQLite {safe} or later."
        )


def _of_the_place(path: str) -> Iterator[str]:
    directory = os.path.dirname(path)
    if os.path.exists(path) and not os.access(path, os.R_OK | os.W_OK):
        yield f"This user may not read and write {path}."
    if not os.access(directory, os.W_OK):
        yield f"This user may not write the directory {directory}, where SQLite keeps files beside the database."
    kind = filesystem_of(directory)
    if kind in NETWORK_FILESYSTEMS:
        yield f"{path} is on a network file system ({kind}), where SQLite's locks do not hold: move it to a local disk."


def _of_the_journal(file: SQLiteFile) -> Iterator[str]:
    mode = file.run(_journal_mode())
    if mode != "wal":
        yield (
            f"The journal mode of {file.path} is {mode}, not WAL, so that readers and writers wait for each other: "
            "end the transactions that keep it from being changed, or move it to a local disk."
        )


def _journal_mode() -> Op[str]:
    reply: Reply = yield Statement("PRAGMA journal_mode")
    return str(reply.rows[0][0])


def filesystem_of(directory: str, mounts: str = "/proc/self/mounts") -> str | None:
    """Return the kind of file system that a directory is on, where that can be known (on Linux)."""
    try:
        with open(mounts, encoding="utf-8", errors="replace") as lines:
            points = [line.split()[1:3] for line in lines]
    except OSError:
        return None
    real = os.path.join(os.path.realpath(directory), "")
    holding = [(len(point), kind) for point, kind in points if real.startswith(os.path.join(_unescaped(point), ""))]
    return max(holding)[1] if holding else None


def _unescaped(point: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), point)
