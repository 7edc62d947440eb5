"""PostgreSQL: a database of its own on a server."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from backburner import Backburner
from benchmarks.databases.base import HANDLER, HOUR, Database, Filling, Place, now
from benchmarks.databases.postgres_floors import PostgresFloors
from benchmarks.measure import cpu_seconds_of_all
from benchmarks.servers import Process, postgres_at
from benchmarks.targets import POSTGRES
from tests.servers.postgres import Postgres

SHOWN = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers")

FILL = """
INSERT INTO backburner_jobs
    (id, name, queue, priority, run_at, created_at, state, failed_at,
     max_attempts, keep_failed, discard_missing, handler)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid, 'noop', %(queue)s, 0,
       %(run_at)s + number, %(created_at)s, %(state)s, %(failed_at)s, 25, true, false, %(handler)s
FROM generate_series(1, %(jobs)s) AS number
"""

LOGGED = re.compile(r"LOG:  (?:execute [^:]+|statement): (?!\s*(?:BEGIN|COMMIT|ROLLBACK)\b)", re.IGNORECASE)
"""A query in the server's log."""


class PostgresDatabase(Database):
    """Databases on one server."""

    name = "PostgreSQL"

    def __init__(self, speed: float, server: Postgres, process: Process | None) -> None:
        self.targets = POSTGRES.at(speed)
        self._server = server
        self._process = process

    @property
    def description(self) -> str:
        shown = [f"{name}={self._server.execute_as_admin(f'SHOW {name}')[0][0]}" for name in SHOWN]
        return ", ".join([str(self._server.execute_as_admin("SHOW server_version")[0][0]), *shown])

    @contextmanager
    def fresh(self) -> Iterator[Place]:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backburner-bench-")))
            url = stack.enter_context(self._server.fresh_database())
            app = stack.enter_context(Backburner(url, allow=["benchmarks"]))
            app.migrate()
            yield Place(app, url, folder, PostgresFloors(url))

    def fill(self, place: Place, filling: Filling, jobs: int) -> None:
        moment = now()
        given = {
            "jobs": jobs,
            "queue": "other" if filling is Filling.OTHER_QUEUE else "default",
            "run_at": moment + 720 * HOUR if filling is Filling.FUTURE else moment - HOUR,
            "created_at": moment - HOUR,
            "state": "failed" if filling is Filling.FAILED else "queued",
            "failed_at": moment if filling is Filling.FAILED else None,
            "handler": HANDLER,
        }
        with psycopg.connect(place.url) as connection:
            connection.execute(FILL, given)

    def settle(self, place: Place) -> None:
        """Vacuum, analyze and write down what is in memory, as autovacuum and the next checkpoint would."""
        with psycopg.connect(place.url, autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE) backburner_jobs")
            connection.execute("CHECKPOINT")

    @contextmanager
    def held_back(self, place: Place) -> Iterator[None]:
        with psycopg.connect(place.url) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.execute("SELECT count(*) FROM backburner_jobs")
            yield

    def watch_queries(self, place: Place) -> None:
        """Let the server log what it is asked on connections that are opened from now on."""
        if self._process is not None:
            name = urlsplit(place.url).path.strip("/")
            self._server.execute_as_admin(f"ALTER DATABASE {name} SET log_statement = 'all'")

    def queries(self) -> int | None:
        if self._process is None:
            return None
        return len(LOGGED.findall(self._process.log.read_text(errors="replace")))

    def server_seconds(self) -> float | None:
        return None if self._process is None else cpu_seconds_of_all(self._process.pid)


@contextmanager
def opened(speed: float, url: str | None) -> Iterator[Database]:
    """Use the server of a URL, or start one. Raises ServerMissing, NotDurable."""
    with postgres_at(url) as (server, process):
        yield PostgresDatabase(speed, server, process)
