"""What the tests of `examples/work` share: its database, real workers, and ways to stop one in the middle of a job."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from backburner import Backburner, Job, State
from examples.work import database
from tests.cli.support import Running
from tests.worker.supervision.support import is_alive, kill, until, worker_pids

ROOT = Path(__file__).parents[2]

TRIES = 10_000
"""To get a lock, in a row; they take less than a second together."""


class Work:
    """An empty database of the examples, and workers for it, in processes of their own."""

    def __init__(self, app: Backburner, home: Path) -> None:
        self.app = app
        self.home = home

    def worker(self, *options: str) -> Running:
        """Start a supervisor of one worker process. The jobs of one that is killed are given back at once."""
        app = ("--app", "examples.work.app:app")
        return Running("work", *app, "--processes", "1", *options, cwd=ROOT)

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """Return the rows of tables of the application."""
        with database.database() as db:
            return db.execute(statement, values).fetchall()

    def again(self, job: Job[Any]) -> Job[Any]:
        return self.app.jobs.get(job.id)

    def ended(self, job: Job[Any]) -> Job[Any]:
        """Wait for the end of a job, and return it as it is then."""
        until(lambda: self.again(job).state not in (State.QUEUED, State.RUNNING), f"{job.name} ends")
        return self.again(job)

    def again_after_failure(self, job: Job[Any]) -> Job[Any]:
        """Wait until a failed attempt of a job is noted, and return it as it is then."""
        until(lambda: self.again(job).is_retrying, f"{job.name} is to be tried again")
        return self.again(job)

    def try_again_now(self, job: Job[Any]) -> Job[Any]:
        """Wait until a failed attempt of a job is noted; return it as it is then, and let the next one begin."""
        failed = self.again_after_failure(job)
        self.app.jobs.retry(job.id)
        return failed

    @contextmanager
    def halted(self, is_so: Callable[[sqlite3.Connection], bool]) -> Iterator[sqlite3.Connection]:
        """Keep everybody from writing within the block, which begins as soon as something is so."""
        with closing(sqlite3.connect(database.FILE, timeout=0, isolation_level=None)) as db:
            until(lambda: _begun(db, is_so), "the work has come so far")
            yield db
            db.execute("ROLLBACK")


def _begun(db: sqlite3.Connection, is_so: Callable[[sqlite3.Connection], bool]) -> bool:
    """Begin a transaction if something is so in it.

    SQLite would wait for the lock in ever longer pauses, and miss the moments between two transactions of others.
    """
    for _ in range(TRIES):
        with suppress(sqlite3.OperationalError):
            db.execute("BEGIN IMMEDIATE")
            break
    else:
        return False
    if is_so(db):
        return True
    db.execute("ROLLBACK")
    return False


def kill_worker(supervisor: Running) -> None:
    """Kill the worker process that was started last, and wait until it is dead."""
    pid = worker_pids(supervisor, 1)[-1]
    kill(pid)
    until(lambda: not is_alive(pid), "it is dead")


def noise(seed: int, size: int) -> bytes:
    """Return the content of a file: no two parts of it are the same."""
    return random.Random(seed).randbytes(size)  # noqa: S311  # no secret
