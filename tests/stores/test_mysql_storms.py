"""Processes that do everything to the same jobs at the same time: InnoDB's deadlocks are nobody's business."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from backburner.core.lifecycle import Move, State
from backburner.core.ports import ClaimRequest, JobFilter, Settlement, WorkerInfo, lease_of
from backburner.stores.open import open_store
from backburner.stores.sql.mysql.store import MySQLStore
from tests.servers.mysql import MySQL
from tests.stores.mysql import ISOLATION, connect
from tests.stores.mysql_storm import QUEUES

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
STEPS = 300

Said = dict[str, Counter[str]]

ENDS = ("finish", "cancel", "cancelled", "deleted", "fail", "asked to stop")
"""What may take a job out of the tables, or into history, from where it may be pruned."""

WRONG = {
    "in the line and not queued, or elsewhere in it": (
        "SELECT count(*) FROM backburner_ready AS ready LEFT JOIN backburner_jobs AS jobs ON jobs.id = ready.id "
        "LEFT JOIN backburner_running ON job_id = ready.id "
        "WHERE jobs.id IS NULL OR job_id IS NOT NULL OR jobs.state <> 'queued' OR jobs.run_at <> ready.run_at "
        "OR jobs.priority <> ready.priority OR jobs.crashes <> ready.crashes "
        "OR CAST(jobs.queue AS BINARY) <> ready.queue"
    ),
    "queued and neither running nor in the line": (
        "SELECT count(*) FROM backburner_jobs AS jobs LEFT JOIN backburner_ready AS ready "
        "ON ready.queue = CAST(jobs.queue AS BINARY) AND ready.priority = jobs.priority "
        "AND ready.run_at = jobs.run_at AND ready.id = jobs.id LEFT JOIN backburner_running ON job_id = jobs.id "
        "WHERE jobs.state = 'queued' AND ready.id IS NULL AND job_id IS NULL"
    ),
    "running and not there": (
        "SELECT count(*) FROM backburner_running LEFT JOIN backburner_jobs ON id = job_id "
        "WHERE id IS NULL OR state <> 'queued'"
    ),
    "there and in history": "SELECT count(*) FROM backburner_jobs JOIN backburner_finished USING (id)",
}


@pytest.fixture
def store(mysql_url: str) -> Iterator[MySQLStore]:
    store = open_store(mysql_url)
    assert isinstance(store, MySQLStore)
    store.migrate()
    yield store
    store.close()


def storm(url: str, processes: int, steps: int) -> Said:
    """Let processes do so many steps; return what all of them said."""
    command = [sys.executable, "-m", "tests.stores.mysql_storm", url]
    running = [
        subprocess.Popen(
            [*command, str(seed), str(steps)], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for seed in range(processes)
    ]
    said: Said = {}
    try:
        for process in running:
            output, errors = process.communicate(timeout=PATIENCE)
            assert (process.returncode, errors) == (0, "")
            for verb, ids in json.loads(output).items():
                said.setdefault(verb, Counter()).update(ids)
    finally:
        for process in running:
            process.kill()
            process.communicate()
    return said


def rows(url: str, text: str) -> list[tuple[Any, ...]]:
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(text)
        return list(cursor.fetchall())


def drain(store: MySQLStore) -> None:
    """Finish all that is queued or stuck with workers that have gone."""
    for queue in QUEUES:
        store.run(store.resume(queue))
    store.run(store.rescue(0))
    number = store.run(store.register(WorkerInfo("last", "host", 1, None, 1)))
    settlements: list[Settlement] = []
    left = JobFilter(states=frozenset({State.QUEUED, State.RUNNING}))
    pause = threading.Event()
    for batch in range(1, 10_000):
        claimed = store.run(store.claim(ClaimRequest(lease_of(number, batch), "last", 500), settlements))
        assert claimed.lost == []
        settlements = [Settlement(job.id, job.lease or 0, Move.FINISH) for job in claimed.jobs]
        if not settlements and not store.run(store.count(left)):
            return
        pause.wait(0 if settlements else 0.01)
    raise AssertionError("there are jobs that cannot be claimed")


def test_nothing_is_lost_or_done_twice_and_nobody_sees_a_deadlock(
    store: MySQLStore, mysql_url: str, mysql_server: MySQL
) -> None:
    assert mysql_server.execute_as_admin(f"SHOW GLOBAL {ISOLATION}")[0][1] == "REPEATABLE-READ"
    said = storm(mysql_url, 5, STEPS)
    assert {name: rows(mysql_url, text)[0][0] for name, text in WRONG.items()} == dict.fromkeys(WRONG, 0)
    assert said["rescued"]
    assert set(said["finish"].values()) == {1}
    ids = rows(
        mysql_url, "SELECT lower(hex(id)) FROM backburner_jobs UNION ALL SELECT lower(hex(id)) FROM backburner_finished"
    )
    there = {identity for (identity,) in ids}
    ended = {identity for verb in ENDS for identity in said.get(verb, ())}
    missing = {identity for identity in said["enqueued"] if identity.replace("-", "") not in there}
    assert missing <= ended
    assert missing
    drain(store)
