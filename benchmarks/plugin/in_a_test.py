"""Jobs in a test, with the plugin's fixtures, as pytest runs it for `benchmarks.plugin.notes`."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from backburner import Backburner
from backburner.testing import Clock, Harness
from benchmarks import jobs
from benchmarks.measure import alternating
from benchmarks.plugin.notes import Notes
from benchmarks.plugin.stores import MOST, STORES
from benchmarks.results import line
from benchmarks.targets import Goal

FLOOR = """
CREATE TABLE jobs (id INTEGER PRIMARY KEY, state TEXT NOT NULL, handler TEXT NOT NULL);
CREATE INDEX ready ON jobs (id) WHERE state = 'queued';
"""
CLAIM = """
UPDATE jobs SET state = 'running' WHERE id = (SELECT id FROM jobs WHERE state = 'queued' ORDER BY id LIMIT 1)
RETURNING id
"""
HANDLER = '{"v":1,"call":{"function":"benchmarks.jobs:noop","args":[1]}}'


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def backburner_app(store: str, backburner_clock: Clock) -> Iterator[Backburner]:
    with Backburner(STORES[store], clock=backburner_clock, allow=["benchmarks"]) as app:
        yield app


@pytest.mark.backburner(mode="inline")
def test_inline_jobs(backburner: Harness, notes: Notes, store: str) -> None:
    def enqueue() -> None:
        for number in range(notes.count):
            jobs.noop.delay(number)
        assert backburner.events.names.count("invoke") == notes.count

    def call() -> None:
        for number in range(notes.count):
            jobs.noop(number)

    name = f"{notes.count:,} inline jobs in a test, {store}"
    _note(notes, name, backburner, enqueue, call, "as many plain calls", MOST)


def test_drained_jobs(backburner: Harness, notes: Notes, store: str) -> None:
    def drain() -> None:
        for number in range(notes.count):
            jobs.noop.delay(number)
        assert backburner.drain() == (notes.count, 0)

    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(FLOOR)
        _note(
            notes,
            f"{notes.count:,} jobs drained in a test, {store}",
            backburner,
            drain,
            lambda: _write_and_take(connection, notes.count),
            "INSERT, UPDATE … RETURNING, DELETE of as many rows, in SQLite in memory",
        )


def _note(
    notes: Notes, name: str, backburner: Harness, ours: Any, floor: Any, floor_name: str, goal: Goal | None = None
) -> None:
    """Let the two take turns, and note the line of the table."""

    def seconds(work: Any) -> float:
        backburner.events.clear()
        began = time.process_time()
        work()
        return time.process_time() - began

    own, other = alternating(lambda: seconds(ours), lambda: seconds(floor), rounds=notes.turns)
    notes.lines.append(
        line(
            name,
            f"{own.median * 1000:.0f} ms",
            (goal, own.median),
            compared=f"{other.median * 1000:.1f} ms: {floor_name}",
            ratio=f"{own.in_relation_to(other):.1f} × the time",
        )
    )


def _write_and_take(connection: sqlite3.Connection, count: int) -> None:
    for _ in range(count):
        connection.execute("INSERT INTO jobs (state, handler) VALUES ('queued', ?)", (HANDLER,))
    for _ in range(count):
        [key] = connection.execute(CLAIM).fetchall()
        connection.execute("DELETE FROM jobs WHERE id = ?", key)
