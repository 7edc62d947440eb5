"""What bare psycopg does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, LiteralString

import psycopg

from benchmarks.databases.base import HANDLER, Floors, new_id, now

COLUMNS: LiteralString = (
    "id, name, queue, priority, run_at, created_at, state, max_attempts, keep_failed, discard_missing, handler"
)

INSERT: LiteralString = f"""
INSERT INTO backburner_jobs ({COLUMNS})
VALUES (%s, 'noop', 'default', 0, %s, %s, 'queued', 25, true, false, %s)
"""  # noqa: S608  # our own texts

UNNEST: LiteralString = f"""
INSERT INTO backburner_jobs ({COLUMNS})
SELECT id, 'noop', 'default', 0, %s, %s, 'queued', 25, true, false, handler
FROM unnest(%s::uuid[], %s::text[]) AS given (id, handler)
"""  # noqa: S608  # our own texts

COPY: LiteralString = f"COPY backburner_jobs ({COLUMNS}) FROM STDIN"

LEAVE: LiteralString = """
    DELETE FROM backburner_jobs
    WHERE id = ANY(%(ids)s) AND lease = %(held)s AND state = 'running'
"""

KEPT: LiteralString = """
    id, name, queue, priority, run_at, created_at, locked_by, locked_at, attempts, crashes, cancel_requested,
    max_attempts, max_run_time, keep_failed, discard_missing, tags, progress, last_error, handler
"""

DONE: LiteralString = f"done AS ({LEAVE})"

DONE_AND_KEPT: LiteralString = f"""
done AS ({LEAVE} RETURNING {KEPT}),
kept AS (
    INSERT INTO backburner_finished ({KEPT}, state, finished_at)
    SELECT {KEPT}, 'succeeded', %(now)s FROM done
)
"""  # noqa: S608  # our own texts

CLAIM: LiteralString = """
ready AS MATERIALIZED (
    SELECT found.id
    FROM (VALUES ('default', 0)) AS front (queue, priority)
    CROSS JOIN LATERAL (
        SELECT jobs.id
        FROM backburner_jobs AS jobs
        WHERE
            jobs.state = 'queued' AND jobs.queue = front.queue AND jobs.priority = front.priority
            AND jobs.run_at <= %(now)s
        ORDER BY jobs.run_at, jobs.id
        LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED
    ) AS found
)
UPDATE backburner_jobs
SET state = 'running', lease = %(lease)s, locked_by = 'floor', locked_at = %(now)s
WHERE id = ANY(ARRAY(SELECT id FROM ready))
RETURNING id, handler
"""

# Acknowledges a batch and claims the next: one statement, one commit.
FUSED: LiteralString = f"WITH {DONE}, {CLAIM}"
FUSED_AND_KEPT: LiteralString = f"WITH {DONE_AND_KEPT}, {CLAIM}"

BLOCK = 1_000
"""Rows in one `unnest`."""


class PostgresFloors(Floors):
    """On one database."""

    one_by_one_name = "psycopg, INSERT and COMMIT"

    def __init__(self, url: str) -> None:
        self._url = url

    @contextmanager
    def one_by_one(self) -> Iterator[Callable[[], object]]:
        with psycopg.connect(self._url, autocommit=True) as connection:
            yield lambda: self.insert_job(connection)

    @property
    def bulks(self) -> Mapping[str, Callable[[int], None]]:
        return {"psycopg, COPY": self._copy, f"psycopg, unnest of {BLOCK:,}": self._unnest}

    @property
    def drains(self) -> Mapping[str, Callable[[int], int]]:
        return {
            "psycopg, the same writes, fused": partial(self._drain, FUSED_AND_KEPT),
            "without history": partial(self._drain, FUSED),
        }

    def _drain(self, fused: LiteralString, batch: int) -> int:
        total, lease, ids = 0, 0, list[Any]()
        with psycopg.connect(self._url, autocommit=True) as connection, connection.cursor(binary=True) as cursor:
            while lease == 0 or ids:
                given = {"ids": ids, "held": lease, "lease": lease + 1, "now": now(), "limit": batch}
                ids = [row[0] for row in cursor.execute(fused, given, prepare=True).fetchall()]
                lease += 1
                total += len(ids)
        return total

    def connect(self) -> psycopg.Connection[Any]:
        with psycopg.connect(self._url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS orders (number bigint NOT NULL, note text NOT NULL)")
        return psycopg.connect(self._url)

    def insert_order(self, connection: Any, number: int) -> None:
        connection.execute("INSERT INTO orders (number, note) VALUES (%s, 'an order')", (number,))

    def insert_job(self, connection: Any) -> None:
        moment = now()
        connection.execute(INSERT, (new_id(), moment, moment, HANDLER))

    def _copy(self, jobs: int) -> None:
        with psycopg.connect(self._url) as connection, connection.cursor().copy(COPY) as copy:
            for _ in range(jobs):
                moment = now()
                copy.write_row(
                    (str(new_id()), "noop", "default", 0, moment, moment, "queued", 25, True, False, HANDLER)
                )

    def _unnest(self, jobs: int) -> None:
        with psycopg.connect(self._url) as connection:
            for first in range(0, jobs, BLOCK):
                rows = range(first, min(first + BLOCK, jobs))
                moment = now()
                connection.execute(UNNEST, (moment, moment, [new_id() for _ in rows], [HANDLER for _ in rows]))
