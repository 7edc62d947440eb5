"""The bugs: which text of which file is replaced by what. Each was made by somebody, or might well be."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tests.servers.keeping import ROOT

SOURCE = ROOT / "src"


class Bug(NamedTuple):
    """A text of a file that is replaced, and the store whose tests must find that."""

    name: str
    store: str
    file: str
    """Below `src/backburner`."""
    old: str
    new: str

    def plant(self, source: Path) -> None:
        """Replace the text in a copy of the source. Raises ValueError when it is not there exactly once."""
        path = source / "backburner" / self.file
        text = path.read_text()
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: expected this once in {self.file}, got it {text.count(self.old)} times")
        path.write_text(text.replace(self.old, self.new))


SQLITE_SETTLEMENTS = "stores/sql/sqlite/statements/settlements.sql"
SQLITE_UPKEEP = "stores/sql/sqlite/statements/upkeep.sql"

BUGS = (
    Bug(
        "a finish does not compare the lease",
        "sqlite",
        SQLITE_SETTLEMENTS,
        "DELETE FROM backburner_jobs\nWHERE id IN (SELECT value FROM json_each(?)) AND lease IS ?",
        "DELETE FROM backburner_jobs\nWHERE id IN (SELECT value FROM json_each(?)) AND coalesce(?, 1)",
    ),
    Bug(
        "a retry asks only whether the job is running",
        "sqlite",
        SQLITE_SETTLEMENTS,
        "WHERE id = ? AND lease = ? AND NOT cancel_requested",
        "WHERE id = ? AND state = 'running' AND coalesce(?, 1) AND NOT cancel_requested",
    ),
    Bug(
        "a rescue takes the jobs of workers that live",
        "sqlite",
        SQLITE_UPKEEP,
        """        state = 'running' AND lease >= 0
        AND NOT EXISTS (SELECT 1 FROM backburner_workers WHERE number = lease >> 32)
    ORDER BY""",
        "        state = 'running' AND lease >= 0\n    ORDER BY",
    ),
    Bug(
        "a rescue is needed only where a dead worker is found, not where a live one is missing",
        "sqlite",
        SQLITE_UPKEEP,
        """            state = 'running' AND lease >= 0
            AND NOT EXISTS (SELECT 1 FROM backburner_workers WHERE number = lease >> 32)
    )""",
        """            state = 'running' AND lease >= 0
            AND EXISTS (SELECT 1 FROM backburner_workers WHERE number = lease >> 32 AND beat_at < 0)
    )""",
    ),
    Bug(
        "crashes are not counted",
        "sqlite",
        SQLITE_UPKEEP,
        "SET crashes = crashes + 1",
        "SET crashes = crashes",
    ),
    Bug(
        "a job may crash as many workers as it likes",
        "sqlite",
        "stores/sql/upkeep.py",
        "    if job.crashes < MAX_CRASHES or job.cancel_requested:",
        "    if job.crashes < 100 * MAX_CRASHES or job.cancel_requested:",
    ),
    Bug(
        "a job that crashed a worker is claimed together with others",
        "sqlite",
        "stores/sql/claims.py",
        "return list(takewhile(lambda key: key.crashes == 0, keys)) or keys[:1]",
        "return list(takewhile(lambda key: key.crashes >= 0, keys))",
    ),
    Bug(
        "a retry does not spend an attempt",
        "sqlite",
        "stores/sql/settlements.py",
        "int(settlement.move is Move.RETRY)",
        "int(settlement.move is Move.SNOOZE)",
    ),
    Bug(
        "a job is settled before it is performed",
        "sqlite",
        "worker/executors/inline.py",
        """            outcome = attempts.make(job, alarm)
            claimer.settle(outcome.settlement)
""",
        """            claimer.settle(attempts._judge.success(job).settlement)
            claimer.flush()
            outcome = attempts.make(job, alarm)
""",
    ),
    Bug(
        "a worker does not beat",
        "sqlite",
        "worker/claimer.py",
        "        number = self.number if beats else None\n",
        "        number = None\n",
    ),
    Bug(
        "settlements are forgotten when a connection is lost",
        "sqlite",
        "worker/claimer.py",
        "        self._unsettled.put_back(sent.settlements)\n",
        "",
    ),
    Bug(
        "a worker never doubts its lease",
        "sqlite",
        "worker/lease.py",
        "        self.starts_until = asked_at + self._starts_for\n        self.ends_at = asked_at + self._length\n",
        "        self.starts_until = self.ends_at = asked_at + 1000 * self._length\n",
    ),
    Bug(
        "an enqueue that is repeated brings back what has ended",
        "sqlite",
        "stores/sql/sqlite/statements/enqueue.sql",
        "WHERE NOT EXISTS (SELECT 1 FROM backburner_finished WHERE id = ?)",
        "WHERE ? IS NOT NULL",
    ),
    Bug(
        "a worker that signs off finishes what it holds",
        "sqlite",
        "stores/sql/upkeep.py",
        "Settlement(self._dialect.to_id(job_id), lease, Move.RELEASE)",
        "Settlement(self._dialect.to_id(job_id), lease, Move.FINISH)",
    ),
    Bug(
        "to cancel a running job does nothing",
        "sqlite",
        "stores/sql/changes.py",
        """            yield self._statement("ask_to_stop", self._dialect.id_value(job_id))
""",
        """            yield self._statement("is_cancel_requested", self._dialect.id_value(job_id), job.lease)
""",
    ),
    Bug(
        "SQLite takes the lock for writing too late",
        "sqlite",
        "stores/sql/sqlite/sessions.py",
        'Statement("BEGIN IMMEDIATE")',
        'Statement("SELECT 1")',
    ),
    Bug(
        "PostgreSQL claims without locking",
        "postgres",
        "stores/sql/postgres/statements/claims.sql",
        "ORDER BY j.run_at, j.id\nLIMIT 1000\nFOR UPDATE SKIP LOCKED\n",
        "ORDER BY j.run_at, j.id\nLIMIT 1000\n",
    ),
    Bug(
        "PostgreSQL decides about a job that somebody is just changing",
        "postgres",
        "stores/sql/postgres/statements/changes.sql",
        "SELECT {live} FROM backburner_jobs WHERE id = %s FOR UPDATE",
        "SELECT {live} FROM backburner_jobs WHERE id = %s",
    ),
    Bug(
        "PostgreSQL stores a job anew that is just ended",
        "postgres",
        "stores/sql/postgres/statements/enqueue.sql",
        "    AND NOT EXISTS (SELECT 1 FROM backburner_jobs AS live WHERE live.id = new.id OFFSET 0)\n",
        "",
    ),
    Bug(
        "MariaDB compares no lease",
        "mariadb",
        "stores/sql/mysql/statements/settlements.sql",
        "lease = wanted_lease AND id = job_id\nFOR UPDATE\n\n-- name: let_go",
        "id = job_id\nFOR UPDATE\n\n-- name: let_go",
    ),
)
