"""MariaDB, or MySQL: a database of its own on a server."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backburner import Backburner
from benchmarks.databases.base import HANDLER, HOUR, Database, Filling, Place, now
from benchmarks.databases.mariadb_floors import MariaDBFloors, connect
from benchmarks.measure import cpu_seconds_of_all
from benchmarks.servers import Process, mariadb_at
from benchmarks.targets import MARIADB
from tests.servers.mysql import MySQL

if TYPE_CHECKING:
    from pymysql.connections import Connection

SHOWN = ("innodb_flush_log_at_trx_commit", "innodb_doublewrite", "innodb_buffer_pool_size", "log_bin", "sync_binlog")

# Numbers from 1 on, without the sequence engine that only MariaDB has.
NUMBERS = """
WITH digits (digit) AS (
    SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
    UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
)
SELECT 1 + a.digit + 10 * b.digit + 100 * c.digit + 1000 * d.digit + 10000 * e.digit + 100000 * f.digit AS number
FROM digits AS a, digits AS b, digits AS c, digits AS d, digits AS e, digits AS f
"""

FILL_JOBS = f"""
INSERT INTO backburner_jobs
    (id, name, queue, priority, run_at, created_at, state, failed_at,
     max_attempts, keep_failed, discard_missing, handler)
SELECT unhex(concat('0000000000007000', lpad(hex(number), 16, '0'))), 'noop', %(queue)s, 0,
       %(run_at)s + number, %(created_at)s, %(state)s, %(failed_at)s, 25, 1, 0, %(handler)s
FROM ({NUMBERS}) AS numbers
WHERE number <= %(jobs)s
ORDER BY number
"""  # noqa: S608  # our own texts

FILL_READY = """
INSERT INTO backburner_ready (queue, priority, run_at, id)
SELECT queue, priority, run_at, id FROM backburner_jobs WHERE state = 'queued' ORDER BY id
"""

HISTORY = "SELECT count FROM information_schema.innodb_metrics WHERE name = 'trx_rseg_history_len'"

CLEARED = 100
"""Transactions whose old versions may be left."""

STEADY = 10
"""As often one sees the same number when nothing is cleared away any more: MySQL counts what it has not cut off yet."""

PATIENCE = 60.0

LOOK_EVERY = 0.1

COUNTED = """
SHOW GLOBAL STATUS WHERE Variable_name IN ('Questions', 'Com_begin', 'Com_commit', 'Com_rollback')
"""


class MariaDBDatabase(Database):
    """Databases on one server."""

    def __init__(self, speed: float, server: MySQL, process: Process | None, watching: Connection[Any]) -> None:
        self.targets = MARIADB.at(speed)
        self.name = "MariaDB" if server.is_mariadb else "MySQL"
        self._server = server
        self._process = process
        self._watching = watching
        self._looks = 0

    @property
    def description(self) -> str:
        shown = [f"{name}={self._server.execute_as_admin(f'SELECT @@{name}')[0][0]}" for name in SHOWN]
        return ", ".join([self._server.version, *shown])

    @contextmanager
    def fresh(self) -> Iterator[Place]:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backburner-bench-")))
            url = stack.enter_context(self._server.fresh_database())
            app = stack.enter_context(Backburner(url, allow=["benchmarks"]))
            app.migrate()
            yield Place(app, url, folder, MariaDBFloors(url))

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
        with closing(connect(place.url)) as connection, connection.cursor() as cursor:
            cursor.execute(FILL_JOBS, given)
            cursor.execute(FILL_READY)
            connection.commit()

    def settle(self, place: Place) -> None:
        """Take statistics, and wait until InnoDB has cleared away old versions of rows."""
        with closing(connect(place.url)) as connection, connection.cursor() as cursor:
            cursor.execute("ANALYZE TABLE backburner_jobs, backburner_ready")
            cursor.fetchall()
        deadline = time.monotonic() + PATIENCE
        lengths: list[int] = []
        while not _is_cleared(lengths) and time.monotonic() < deadline:
            lengths.append(int(self._server.execute_as_admin(HISTORY)[0][0]))
            time.sleep(LOOK_EVERY)

    @contextmanager
    def held_back(self, place: Place) -> Iterator[None]:
        with closing(connect(place.url)) as connection, connection.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            yield

    def queries(self) -> int | None:
        if self._process is None:  # others ask it as well
            return None
        with self._watching.cursor() as cursor:
            cursor.execute(COUNTED)
            counted = {name: int(number) for name, number in cursor.fetchall()}
        self._looks += 1
        return counted.pop("Questions") - sum(counted.values()) - self._looks

    def server_seconds(self) -> float | None:
        return None if self._process is None else cpu_seconds_of_all(self._process.pid)


def _is_cleared(lengths: list[int]) -> bool:
    """Say whether the history is short, or does not get any shorter."""
    recent = lengths[-STEADY:]
    return any(length <= CLEARED for length in recent) or (len(recent) == STEADY and len(set(recent)) == 1)


@contextmanager
def opened(speed: float, url: str | None) -> Iterator[Database]:
    """Use the server of a URL, or start one. Raises ServerMissing, NotDurable."""
    with mariadb_at(url) as (server, process), closing(server.connect()) as watching:
        yield MariaDBDatabase(speed, server, process, watching)
