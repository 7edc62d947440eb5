"""No statement of the hot path reads or sorts a table: what it costs does not depend on how many jobs there are."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from backburner.core import ops
from backburner.core.job import Job, Progress
from backburner.core.lifecycle import Move, State
from backburner.core.ops import Many, Op, Statement
from backburner.core.ports import ClaimRequest, JobFilter, Settlement, WorkerInfo, lease_of
from backburner.stores.sql.sqlite.sessions import JoinedSession
from backburner.stores.sql.sqlite.store import SQLiteStore
from backburner.testing.contract.driving import START, ManualClock, new_job

WHOLE_TABLE = re.compile(r"SCAN (TABLE )?(j|backburner_jobs|backburner_finished)\b")
SORT = "USE TEMP B-TREE"
HELD = lease_of(1, 1)

Make = Callable[[SQLiteStore, Job[Any]], Op[Any]]

ENDS = {
    f"settle: {move.value}{'' if keep else ', not kept'}": lambda store, job, move=move, keep=keep: store.settle(
        [Settlement(job.id, HELD, move, run_at=START, keep=keep)]
    )
    for move in (Move.FINISH, Move.RETRY, Move.RELEASE, Move.FAIL, Move.CANCEL)
    for keep in (True, False)
}
HOT: dict[str, Make] = {
    **ENDS,
    "enqueue": lambda store, job: store.enqueue([new_job()]),
    "enqueue many": lambda store, job: store.enqueue([new_job(), new_job()]),
    "claim": lambda store, job: store.claim(request()),
    "claim from queues": lambda store, job: store.claim(request(queues=("default", "mail"))),
    "claim nothing": lambda store, job: store.claim(request(queues=("nobody's",))),
    "claim one": lambda store, job: store.claim_one(job.id, HELD, "ann"),
    "report progress": lambda store, job: store.report_progress(job.id, HELD, Progress(1, 2, None)),
    "standing": lambda store, job: store.standing([(job.id, HELD)]),
    "crash": lambda store, job: store.settle([Settlement(job.id, HELD, Move.SNOOZE, crashed=True)]),
    "is cancel requested": lambda store, job: store.is_cancel_requested(job.id, HELD),
    "cancel": lambda store, job: store.cancel(job.id),
    "requeue": lambda store, job: store.requeue(job.id),
    "delete": lambda store, job: store.delete(job.id),
    "get": lambda store, job: store.get(job.id),
    "next page": lambda store, job: store.find(JobFilter(), after=job.id),
    "retire": lambda store, job: store.retire(1),
    "rescue": lambda store, job: store.rescue(0),
    "prune": lambda store, job: store.prune(START + timedelta(days=1)),
}


class Recorder:
    """Executes commands and remembers the statements."""

    def __init__(self, session: JoinedSession) -> None:
        self._session = session
        self.statements: list[Statement] = []

    def execute(self, command: Any) -> Any:
        if isinstance(command, Many):
            self.statements.append(Statement(command.text, command.rows[0]))
        elif isinstance(command, Statement):
            self.statements.append(command)
        return self._session.execute(command)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(str(tmp_path / "shop.db"), clock=ManualClock())
    yield store
    store.close()


@pytest.fixture
def connection(tmp_path: Path, store: SQLiteStore) -> Iterator[sqlite3.Connection]:
    store.migrate()
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        yield connection


@pytest.mark.parametrize("statistics", ["none", "of full tables", "of empty tables"])
@pytest.mark.parametrize("name", HOT)
def test_a_hot_operation_reads_by_index_alone(
    store: SQLiteStore, connection: sqlite3.Connection, name: str, statistics: str
) -> None:
    if statistics == "of empty tables":
        connection.execute("ANALYZE")
    job = fill(store, 500)
    if statistics == "of full tables":
        connection.execute("ANALYZE")
    plans = plans_of(connection, store, HOT[name](store, job))
    assert plans
    for text, plan in plans.items():
        assert not WHOLE_TABLE.search(plan), f"{text}\n\n{plan}"
        assert SORT not in plan, f"{text}\n\n{plan}"


@pytest.mark.parametrize(
    "crowd",
    [
        {"run_at": START + timedelta(days=1)},
        {"run_at": START + timedelta(days=1), "priority": -5},
        {"queue": "other"},
        {"state": State.BLOCKED},
    ],
    ids=["future", "future, better priority", "another queue", "blocked"],
)
def test_a_claim_takes_the_same_steps_however_many_other_jobs_there_are(
    store: SQLiteStore, connection: sqlite3.Connection, crowd: dict[str, Any]
) -> None:
    store.run(store.enqueue([new_job(**crowd)]))
    alone = steps_of_a_claim(store, connection)
    for _ in range(10):
        store.run(store.enqueue([new_job(**crowd) for _ in range(2_000)]))
    assert steps_of_a_claim(store, connection) <= alone * 1.1


def test_failed_jobs_take_no_steps(store: SQLiteStore, connection: sqlite3.Connection) -> None:
    alone = steps_of_a_claim(store, connection)
    store.run(store.enqueue([new_job(queue="failing") for _ in range(20_000)]))
    connection.execute("UPDATE backburner_jobs SET state = 'failed' WHERE queue = 'failing'")
    connection.commit()
    assert steps_of_a_claim(store, connection) <= alone * 1.1


def test_a_page_of_jobs_takes_the_same_steps_however_many_there_are(
    store: SQLiteStore, connection: sqlite3.Connection
) -> None:
    fill(store, 200)
    few = steps_of(connection, store, store.find(JobFilter(), newest_first=True, limit=20))
    fill(store, 2_000)
    assert steps_of(connection, store, store.find(JobFilter(), newest_first=True, limit=20)) <= few * 1.1


def test_a_page_of_failed_jobs_does_not_pass_over_the_others(
    store: SQLiteStore, connection: sqlite3.Connection
) -> None:
    job = fill(store, 500)
    which = JobFilter(states=frozenset({State.FAILED}))
    (plan,) = plans_of(connection, store, store.find(which, after=job.id)).values()
    assert "backburner_jobs_failed" in plan


def request(**fields: Any) -> ClaimRequest:
    return ClaimRequest(lease=lease_of(1, 2), worker_name="ann", limit=10, queues=fields.get("queues"))


def fill(store: SQLiteStore, number: int) -> Job[Any]:
    """Store jobs of every kind; return one that is running."""
    store.run(store.register(WorkerInfo("ann", "host", 1, None, 1)))
    ids = [store_one_kind(store, number, queue=queue, priority=p) for queue in ("default", "mail") for p in (0, 1)]
    claimed = store.run(store.claim(ClaimRequest(HELD, "ann", number, queues=("mail",), min_priority=1)))
    moves = {Move.FINISH: claimed.jobs[1:100], Move.FAIL: claimed.jobs[100:200]}
    store.run(store.settle([Settlement(job.id, HELD, move) for move, jobs in moves.items() for job in jobs]))
    assert len(ids) == 4
    return claimed.jobs[0]


def store_one_kind(store: SQLiteStore, number: int, **fields: Any) -> UUID:
    jobs = [new_job(**fields) for _ in range(number)]
    store.run(store.enqueue(jobs))
    return jobs[0].id


def plans_of(connection: sqlite3.Connection, store: SQLiteStore, op: Op[Any]) -> dict[str, str]:
    """Run an operation on this connection and return the plan of each of its statements."""
    recorder = Recorder(JoinedSession(connection, store.url.removeprefix("sqlite:///")))
    try:
        ops.run(op, recorder)
    except Exception as error:
        assert "cannot" in str(error)  # noqa: PT017 # refused after it was looked up, which is what is looked at
    connection.rollback()
    return {
        statement.text: "\n".join(
            row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement.text}", statement.parameters)
        )
        for statement in recorder.statements
    }


def steps_of_a_claim(store: SQLiteStore, connection: sqlite3.Connection) -> int:
    """Return how many steps it takes to claim ten of the jobs that are due in the default queue."""
    jobs = [new_job() for _ in range(20)]
    store.run(store.enqueue(jobs))
    steps = steps_of(connection, store, store.claim(request(queues=("default",))))
    for job in jobs:
        store.run(store.delete(job.id))
    return steps


def steps_of(connection: sqlite3.Connection, store: SQLiteStore, op: Op[Any]) -> int:
    """Run an operation on this connection, undo it, and return how many steps SQLite's machine took."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    session = JoinedSession(connection, store.url.removeprefix("sqlite:///"))
    connection.set_progress_handler(count, 1)
    assert ops.run(op, session)
    connection.set_progress_handler(None, 0)
    connection.rollback()
    return steps
