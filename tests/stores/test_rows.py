"""Rows as jobs: each part of a job comes from its column."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from backburner.core.job import Job, Progress
from backburner.core.lifecycle import State
from backburner.core.times import from_micros
from backburner.stores.sql.rows import to_job

ID = UUID("01900000-0000-7000-8000-000000000001")

FULL = (
    ID, "name", "handler", "queue", 7, 2_000_000, 1_000_000, 3, 5, 60_000_000, 0,
    1, '["a","b"]', "worker", 3_000_000, '{"done":1,"total":2,"note":"n","place":{"0":4}}', 2, 1, "failed",
    "error", 4_000_000, 9, 5_000_000, "result",
)  # fmt: skip
"""A row of which no column has the value that a job has by default."""

BARE = (
    ID, "name", "handler", "queue", 0, 1_000_000, 1_000_000, 0, 25, None, 1,
    0, None, None, None, None, 0, 0, "queued",
    None, None, None, None, None,
)  # fmt: skip

BARE_JOB: Job[Any] = Job(
    id=ID, name="name", handler="handler", queue="queue", priority=0, run_at=from_micros(1_000_000),
    created_at=from_micros(1_000_000),
)  # fmt: skip


def test_every_column_is_read() -> None:
    job = to_job(FULL, lambda value: value)
    assert job == Job(
        id=ID,
        name="name",
        handler="handler",
        queue="queue",
        priority=7,
        run_at=from_micros(2_000_000),
        created_at=from_micros(1_000_000),
        state=State.FAILED,
        attempts=3,
        max_attempts=5,
        max_run_time=timedelta(minutes=1),
        keep_failed=False,
        discard_missing=True,
        tags=("a", "b"),
        last_error="error",
        locked_by="worker",
        locked_at=from_micros(3_000_000),
        failed_at=from_micros(4_000_000),
        finished_at=from_micros(5_000_000),
        result="result",
        progress=Progress(1, 2, "n"),
        place={"0": 4},
        crashes=2,
        cancel_requested=True,
        lease=9,
    )


def test_what_is_null_is_as_in_a_new_job() -> None:
    assert to_job(BARE, lambda value: value) == BARE_JOB


def test_a_job_of_a_row_has_all_that_a_job_has() -> None:
    job = to_job(BARE, lambda value: value)
    assert {field.name: getattr(job, field.name) for field in fields(job)} == {
        field.name: getattr(BARE_JOB, field.name) for field in fields(BARE_JOB)
    }
    assert replace(job) == job
