"""Databases with many jobs of every kind, made by PostgreSQL itself: a million takes seconds."""

from __future__ import annotations

from uuid import UUID

import psycopg

from backburner.core.lifecycle import State
from backburner.core.ports import WorkerInfo, lease_of
from backburner.core.times import system_now, to_micros
from backburner.stores.sql.postgres.store import PostgresStore

JOBS = """
INSERT INTO backburner_jobs (
    id, name, queue, priority, run_at, created_at, state, max_attempts, keep_failed, discard_missing, crashes, lease,
    handler
)
SELECT
    ('01900000-0000-7000-8000-' || lpad(to_hex({first} + n), 12, '0'))::uuid, 'send_welcome', {queue}, {priority},
    {run_at}, {first} + n, '{state}', 25, true, false, {crashes}, {lease}, repeat('x', 200)
FROM generate_series(0, {number} - 1) AS n
"""

FINISHED = """
INSERT INTO backburner_finished (
    finished_at, run_at, created_at, priority, attempts, max_attempts, crashes, id, cancel_requested, keep_failed,
    discard_missing, state, queue, name, handler
)
SELECT
    {finished_at} + n, 1, 1, 0, 1, 25, 0, ('01900000-0000-7000-9000-' || lpad(to_hex({first} + n), 12, '0'))::uuid,
    false, true, false, CASE n % 2 WHEN 0 THEN 'succeeded' ELSE 'cancelled' END, 'default', 'send_welcome',
    repeat('x', 200)
FROM generate_series(0, {number} - 1) AS n
"""

DAY = 86_400_000_000
HELD = 20
"""So many jobs are running."""


class Crowd:
    """The jobs of one database, in layers: each has jobs of every kind, and the later ones are newer."""

    def __init__(self, store: PostgresStore, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._jobs = self._finished = 0
        store.migrate()
        store.run(store.prune(system_now()))  # makes the partitions of the days
        self._leave_to_us()
        self.worker = store.run(store.register(WorkerInfo("ann", "host", 1, None, 1)))
        self.lease = lease_of(self.worker, 1)
        self.running = self._add(HELD, state=State.RUNNING, lease=str(self.lease))
        self.queued = self._add(20)
        self._add(20, queue="'late'", priority="9")
        self.failed = self._add(20, state=State.FAILED)
        self.finished = self._add_finished(20, to_micros(system_now()))

    def _leave_to_us(self) -> None:
        """Let the statistics be made when the test says so."""
        find = "SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'backburner_finished'::regclass"
        partitions = [str(name) for (name,) in self._connection.execute(find)]
        for table in ("backburner_jobs", *partitions):
            self._connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)".encode())

    def add_layer(self, size: int) -> None:
        """Add about so many jobs, and a tenth of that to the history of each day and of none."""
        part = size // 20
        self._add(5 * part)
        self._add(4 * part, run_at=f"n + {to_micros(system_now()) + DAY}")
        self._add(3 * part, queue="'mail'", priority="n % 3")
        self._add(2 * part, queue="'tenant' || n % 20")
        self._add(2 * part, queue="'single'", priority="3")
        self._add(part, queue="'urgent'", priority="-3")
        self._add(part, queue="'suspect'", priority="5", crashes="(n < 3)::integer")
        self._add(2 * part, state=State.FAILED)
        for days in (-10, 0, 1, 2):
            self._add_finished(2 * part, to_micros(system_now()) + days * DAY)

    def _add(
        self,
        number: int,
        *,
        queue: str = "'default'",
        priority: str = "0",
        run_at: str = "n",
        state: State = State.QUEUED,
        crashes: str = "0",
        lease: str = "NULL",
    ) -> list[UUID]:
        """Store jobs of one kind, with SQL for what differs between them; return the ids of the first ten."""
        values = {"queue": queue, "priority": priority, "run_at": run_at, "crashes": crashes, "lease": lease}
        text = JOBS.format(first=self._jobs, number=number, state=state.value, **values)
        self._connection.execute(text.encode())
        self._jobs += number
        return ids_from("8000", self._jobs - number)

    def _add_finished(self, number: int, finished_at: int) -> list[UUID]:
        text = FINISHED.format(first=self._finished, number=number, finished_at=finished_at)
        self._connection.execute(text.encode())
        self._finished += number
        return ids_from("9000", self._finished - number)


def ids_from(group: str, first: int) -> list[UUID]:
    return [UUID(f"01900000-0000-7000-{group}-{first + n:012x}") for n in range(10)]
