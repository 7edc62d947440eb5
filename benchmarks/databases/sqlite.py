"""SQLite: a file in a temporary folder."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from backburner import Backburner
from benchmarks.databases.base import HANDLER, HOUR, Database, Filling, Place, now
from benchmarks.databases.sqlite_floors import SQLiteFloors, connect
from benchmarks.targets import SQLITE

FILL = """
WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < :jobs)
INSERT INTO backburner_jobs
    (id, name, queue, priority, run_at, created_at, state, failed_at,
     max_attempts, keep_failed, discard_missing, handler)
SELECT printf('00000000-0000-7000-8000-%012x', number), 'noop', :queue, 0, :run_at + number, :created_at, :state,
       :failed_at, 25, 1, 0, :handler
FROM numbers
"""


class SQLiteDatabase(Database):
    """Files with backburner's own settings: WAL, synchronous=NORMAL."""

    name = "SQLite"

    def __init__(self, speed: float) -> None:
        self.targets = SQLITE.at(speed)

    @property
    def description(self) -> str:
        return f"{sqlite3.sqlite_version}, WAL, synchronous=NORMAL"

    @contextmanager
    def fresh(self) -> Iterator[Place]:
        with tempfile.TemporaryDirectory(prefix="backburner-bench-") as folder:
            path = Path(folder) / "bench.db"
            url = f"sqlite:///{path}"
            with Backburner(url, allow=["benchmarks"]) as app:
                app.migrate()
                yield Place(app, url, Path(folder), SQLiteFloors(path))

    def fill(self, place: Place, filling: Filling, jobs: int) -> None:
        moment = now()
        with closing(connect(place.folder / "bench.db")) as connection:
            connection.execute(
                FILL,
                {
                    "jobs": jobs,
                    "queue": "other" if filling is Filling.OTHER_QUEUE else "default",
                    "run_at": moment + 720 * HOUR if filling is Filling.FUTURE else moment - HOUR,
                    "created_at": moment - HOUR,
                    "state": "failed" if filling is Filling.FAILED else "queued",
                    "failed_at": moment if filling is Filling.FAILED else None,
                    "handler": HANDLER,
                },
            )

    @contextmanager
    def held_back(self, place: Place) -> Iterator[None]:
        """Read in a transaction that stays open: the WAL can be written back up to there only, and grows."""
        with closing(connect(place.folder / "bench.db")) as connection:
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM backburner_jobs").fetchall()
            yield
