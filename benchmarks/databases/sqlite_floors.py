"""What bare `sqlite3` does."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.databases.base import HANDLER, Floors, new_id, now

INSERT = """
INSERT INTO backburner_jobs
    (id, name, queue, priority, run_at, created_at, state, max_attempts, keep_failed, discard_missing, handler)
VALUES (?, 'noop', 'default', 0, ?, ?, 'queued', 25, 1, 0, ?)
"""

CLAIM = """
UPDATE backburner_jobs SET state = 'running', lease = 1, locked_by = 'floor', locked_at = ?
WHERE id IN (
    SELECT id FROM backburner_jobs
    WHERE state = 'queued' AND queue = 'default' AND priority = 0 AND run_at <= ?
    ORDER BY run_at, id LIMIT ?
)
RETURNING id, handler
"""

KEEP = """
INSERT INTO backburner_finished
    (id, name, queue, priority, run_at, state, finished_at, attempts, crashes, cancel_requested, max_attempts,
     keep_failed, discard_missing, created_at, handler)
SELECT id, name, queue, priority, run_at, 'succeeded', ?, attempts, crashes, cancel_requested, max_attempts,
       keep_failed, discard_missing, created_at, handler
FROM backburner_jobs WHERE lease = 1 AND state = 'running'
"""

DROP = "DELETE FROM backburner_jobs WHERE lease = 1 AND state = 'running'"


class SQLiteFloors(Floors):
    """On one file."""

    one_by_one_name = "sqlite3, INSERT and COMMIT"

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def one_by_one(self) -> Iterator[Callable[[], object]]:
        with closing(connect(self._path)) as connection:
            yield lambda: connection.execute(INSERT, _row())  # a transaction by itself

    @property
    def bulks(self) -> Mapping[str, Callable[[int], None]]:
        return {"sqlite3, executemany": self._executemany}

    @property
    def drains(self) -> Mapping[str, Callable[[int], int]]:
        return {
            "sqlite3, the same writes": partial(self._drain, keeps=True),
            "without history": partial(self._drain, keeps=False),
        }

    def _drain(self, batch: int, *, keeps: bool) -> int:
        total = 0
        with closing(connect(self._path)) as connection:
            while True:
                moment = now()
                connection.execute("BEGIN IMMEDIATE")
                if keeps:
                    connection.execute(KEEP, (moment,))
                connection.execute(DROP)
                rows = connection.execute(CLAIM, (moment, moment, batch)).fetchall()
                connection.execute("COMMIT")
                if not rows:
                    return total
                total += len(rows)

    def connect(self) -> sqlite3.Connection:
        connection = connect(self._path)
        connection.isolation_level = "IMMEDIATE"
        connection.execute("CREATE TABLE IF NOT EXISTS orders (number INTEGER NOT NULL, note TEXT NOT NULL)")
        return connection

    def insert_order(self, connection: Any, number: int) -> None:
        connection.execute("INSERT INTO orders (number, note) VALUES (?, 'an order')", (number,))

    def insert_job(self, connection: Any) -> None:
        connection.execute(INSERT, _row())

    def _executemany(self, jobs: int) -> None:
        with closing(connect(self._path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(INSERT, [_row() for _ in range(jobs)])
            connection.execute("COMMIT")


def connect(path: Path) -> sqlite3.Connection:
    """Open the database as backburner does."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -32000")
    return connection


def _row() -> tuple[str, int, int, str]:
    moment = now()
    return str(new_id()), moment, moment, HANDLER
