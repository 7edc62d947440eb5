"""Floors: what bare `sqlite3` needs for the same writes, on the same tables, in the same run.

They do the least that the work needs: no payloads, no hooks, no checks, no leases.
"""

from __future__ import annotations

import sqlite3
import time
import uuid
from itertools import count
from pathlib import Path

HANDLER = '{"v":1,"call":{"function":"benchmarks.jobs:noop","args":[1]}}'

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


def connect(path: Path) -> sqlite3.Connection:
    """Open the database as backburner does."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -32000")
    return connection


def enqueue_one_by_one(path: Path, jobs: int) -> None:
    """INSERT and COMMIT, so many times."""
    connection = connect(path)
    for _ in range(jobs):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(INSERT, _row())
        connection.execute("COMMIT")
    connection.close()


def enqueue_in_bulk(path: Path, jobs: int) -> None:
    """One executemany in one transaction."""
    connection = connect(path)
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(INSERT, [_row() for _ in range(jobs)])
    connection.execute("COMMIT")
    connection.close()


def drain(path: Path, batch: int) -> int:
    """Claim, keep as history and delete, a batch in a transaction; return how many jobs that were."""
    connection = connect(path)
    total = 0
    while True:
        now = int(time.time() * 1_000_000)
        connection.execute("BEGIN IMMEDIATE")
        rows = connection.execute(CLAIM, (now, now, batch)).fetchall()
        connection.execute(KEEP, (now,))
        connection.execute(DROP)
        connection.execute("COMMIT")
        if not rows:
            break
        total += len(rows)
    connection.close()
    return total


_numbers = count()


def _row() -> tuple[str, int, int, str]:
    now = int(time.time() * 1_000_000)
    return str(uuid.UUID(int=now << 64 | next(_numbers))), now, now, HANDLER  # ids that grow, as those of jobs do
