"""What bare PyMySQL does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

import pymysql

from benchmarks.databases.base import HANDLER, Floors, new_id, now

# As many rows as stand behind them.
INSERT_JOBS = """
INSERT INTO backburner_jobs
    (id, name, queue, priority, run_at, created_at, state, max_attempts, keep_failed, discard_missing, handler)
VALUES
"""
JOB = "(%s, 'noop', 'default', 0, %s, %s, 'queued', 25, 1, 0, %s)"

INSERT_READY = "INSERT INTO backburner_ready (queue, priority, run_at, id) VALUES"
READY = "('default', 0, %s, %s)"

CLAIM = """
SELECT ready.run_at, ready.id, jobs.handler
FROM backburner_ready AS ready
STRAIGHT_JOIN backburner_jobs AS jobs ON jobs.id = ready.id
WHERE ready.queue = 'default' AND ready.priority = 0 AND ready.run_at <= %s
ORDER BY ready.run_at, ready.id
LIMIT %s
FOR UPDATE SKIP LOCKED
"""

# What one worker claims is one piece of the line.
DROP_READY = """
DELETE FROM backburner_ready
WHERE queue = 'default' AND priority = 0 AND run_at BETWEEN %s AND %s AND id IN %s
"""

KEPT = """
    id, name, queue, priority, run_at, created_at, attempts, crashes, cancel_requested,
    max_attempts, max_run_time, keep_failed, discard_missing, tags, progress, last_error, handler
"""

KEEP = f"""
INSERT INTO backburner_finished ({KEPT}, state, finished_at)
SELECT {KEPT}, 'succeeded', %s FROM backburner_jobs WHERE id IN %s
"""  # noqa: S608  # our own texts

DROP_JOBS = "DELETE FROM backburner_jobs WHERE id IN %s"

BLOCK = 1_000
"""Rows in one INSERT."""


class MariaDBFloors(Floors):
    """On one database."""

    one_by_one_name = "PyMySQL, INSERT and COMMIT"

    def __init__(self, url: str) -> None:
        self._url = url

    @contextmanager
    def one_by_one(self) -> Iterator[Callable[[], object]]:
        with connect(self._url) as connection:

            def store() -> None:
                self.insert_job(connection)
                connection.commit()

            yield store

    @property
    def bulks(self) -> Mapping[str, Callable[[int], None]]:
        return {f"PyMySQL, INSERT of {BLOCK:,} rows": self._insert_many}

    @property
    def drains(self) -> Mapping[str, Callable[[int], int]]:
        return {
            "PyMySQL, SELECT … SKIP LOCKED, DELETE, COMMIT": partial(self._drain, keeps=False),
            "with INSERT into history": partial(self._drain, keeps=True),
        }

    def _drain(self, batch: int, *, keeps: bool) -> int:
        total = 0
        with connect(self._url) as connection, connection.cursor() as cursor:
            while cursor.execute(CLAIM, (moment := now(), batch)):
                rows = cursor.fetchall()
                ids = [row[1] for row in rows]
                cursor.execute(DROP_READY, (rows[0][0], rows[-1][0], ids))
                if keeps:
                    cursor.execute(KEEP, (moment, ids))
                cursor.execute(DROP_JOBS, (ids,))
                connection.commit()
                total += len(ids)
        return total

    def connect(self) -> Any:
        connection = connect(self._url)
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS orders (number bigint NOT NULL, note text NOT NULL)")
        return connection

    def insert_order(self, connection: Any, number: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO orders (number, note) VALUES (%s, 'an order')", (number,))

    def insert_job(self, connection: Any) -> None:
        with connection.cursor() as cursor:
            _insert(cursor, [new_id().bytes])

    def _insert_many(self, jobs: int) -> None:
        with connect(self._url) as connection, connection.cursor() as cursor:
            for first in range(0, jobs, BLOCK):
                _insert(cursor, [new_id().bytes for _ in range(first, min(first + BLOCK, jobs))])
            connection.commit()


def _insert(cursor: Any, ids: Sequence[bytes]) -> None:
    moment = now()
    jobs = [value for job_id in ids for value in (job_id, moment, moment, HANDLER)]
    ready = [value for job_id in ids for value in (moment, job_id)]
    cursor.execute(INSERT_JOBS + ", ".join([JOB] * len(ids)), jobs)
    cursor.execute(INSERT_READY + ", ".join([READY] * len(ids)), ready)


def connect(url: str) -> Any:
    """Open the database as backburner does."""
    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname or "localhost",
        port=parts.port or 3306,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.strip("/")),
        charset="utf8mb4",
        init_command="SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    )
