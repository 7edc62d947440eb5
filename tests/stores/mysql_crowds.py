"""Databases with many jobs of every kind, made by the server itself: a million takes seconds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pymysql.connections import Connection

from backburner.core.ports import WorkerInfo, lease_of
from backburner.core.times import system_now, to_micros
from backburner.stores.sql.mysql.store import MySQLStore

NUMBERS = """
CREATE TABLE numbers (n INT NOT NULL PRIMARY KEY)
"""

FILL_NUMBERS = """
INSERT INTO numbers
WITH RECURSIVE digits AS (SELECT 0 AS d UNION ALL SELECT d + 1 FROM digits WHERE d < 999)
SELECT a.d * 1000 + b.d FROM digits AS a CROSS JOIN digits AS b WHERE a.d < 300
"""

JOBS = """
INSERT INTO backburner_jobs (
    id, name, queue, priority, run_at, created_at, state, max_attempts, keep_failed, discard_missing, crashes, handler
)
SELECT
    UNHEX(CONCAT('01900000000070008000', LPAD(HEX({first} + n), 12, '0'))), 'send_welcome', {queue}, {priority},
    {run_at}, {first} + n, '{state}', 25, TRUE, FALSE, {crashes}, REPEAT('x', 50)
FROM numbers WHERE n < {number}
"""

LINE = """
INSERT INTO backburner_ready (queue, priority, run_at, id, crashes)
SELECT
    {queue}, {priority}, {run_at}, UNHEX(CONCAT('01900000000070008000', LPAD(HEX({first} + n), 12, '0'))), {crashes}
FROM numbers WHERE n < {number}
ORDER BY 1, 2, 3, 4
"""

RUNNING = """
INSERT INTO backburner_running (job_id, lease, locked_by, locked_at)
SELECT UNHEX(CONCAT('01900000000070008000', LPAD(HEX({first} + n), 12, '0'))), {lease}, 'ann', 1
FROM numbers WHERE n < {number}
"""

FINISHED = """
INSERT INTO backburner_finished (
    id, name, queue, priority, run_at, state, finished_at, attempts, crashes, cancel_requested, max_attempts,
    keep_failed, discard_missing, created_at, handler
)
SELECT
    UNHEX(CONCAT('01900000000070009000', LPAD(HEX({first} + n), 12, '0'))), 'send_welcome', 'default', 0, 1,
    IF(n % 2, 'cancelled', 'succeeded'), {finished_at} + n, 1, 0, FALSE, 25, TRUE, FALSE, 1, REPEAT('x', 50)
FROM numbers WHERE n < {number}
"""

DAY = 86_400_000_000
HELD = 20
"""So many jobs are running."""


class Crowd:
    """The jobs of one database, in layers: each has jobs of every kind, and the later ones are newer."""

    def __init__(self, store: MySQLStore, connection: Connection[Any]) -> None:
        self._connection = connection
        self._jobs = self._finished = 0
        store.migrate()
        self._do(NUMBERS)
        self._do(FILL_NUMBERS)
        self.worker = store.run(store.register(WorkerInfo("ann", "host", 1, None, 1)))
        self.lease = lease_of(self.worker, 1)
        self.running = self._add_running(HELD)
        self.queued = self._add(20)
        self.failed = self._add(20, state="failed")
        self.finished = self._add_finished(20, to_micros(system_now()))

    def add_layer(self, size: int) -> None:
        """Add about so many jobs, and two fifths of that to the history."""
        part = size // 20
        self._add(6 * part)
        self._add(4 * part, run_at=f"n + {to_micros(system_now()) + DAY}")
        self._add(3 * part, queue="'mail'", priority="n % 3")
        self._add(2 * part, queue="CONCAT('tenant', n % 20)")
        self._add(part, queue="'single'", priority="3")
        self._add(part, queue="'urgent'", priority="-3")
        self._add(part, queue="'suspect'", priority="5", crashes="n < 3")
        self._add(2 * part, state="failed")
        for days in (-10, -1, 0, 1):
            self._add_finished(2 * part, to_micros(system_now()) + days * DAY)

    def add_line(self, number: int) -> None:
        """Add so many jobs that are due, one after the other; the n-th of all is due and was made at n."""
        self._add(number, run_at=f"{self._jobs} + n")

    def _add(
        self,
        number: int,
        *,
        queue: str = "'default'",
        priority: str = "0",
        run_at: str = "n",
        state: str = "queued",
        crashes: str = "0",
    ) -> list[UUID]:
        """Store jobs of one kind, with SQL for what differs between them; return the ids of the first ten."""
        values = {"first": self._jobs, "number": number, "queue": queue, "priority": priority, "run_at": run_at}
        self._do(JOBS.format(**values, state=state, crashes=crashes))
        if state == "queued":
            self._do(LINE.format(**values, crashes=crashes))
        self._jobs += number
        return ids_from("8000", self._jobs - number)

    def _add_running(self, number: int) -> list[UUID]:
        values = {"first": self._jobs, "number": number}
        self._do(JOBS.format(**values, queue="'default'", priority="0", run_at="n", state="queued", crashes="0"))
        self._do(RUNNING.format(**values, lease=self.lease))
        self._jobs += number
        return ids_from("8000", self._jobs - number)

    def _add_finished(self, number: int, finished_at: int) -> list[UUID]:
        self._do(FINISHED.format(first=self._finished, number=number, finished_at=finished_at))
        self._finished += number
        return ids_from("9000", self._finished - number)

    def _do(self, text: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(text)
        self._connection.commit()


def ids_from(group: str, first: int) -> list[UUID]:
    return [UUID(f"01900000-0000-7000-{group}-{first + n:012x}") for n in range(10)]
