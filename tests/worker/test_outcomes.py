"""How attempts end, and what that does to the job."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backburner import (
    Backburner,
    DeserializationError,
    InvalidState,
    JobNotFound,
    Progress,
    State,
    UnknownJob,
)
from tests.worker.jobs import Rescheduled, fail_with, note, note_async, report, steer, trace


def test_jobs_run_by_priority_then_run_at_then_id(app: Backburner) -> None:
    now = datetime.now(UTC)
    with app.bulk():
        app.delay(note)("third")
        app.delay(note, run_at=now - timedelta(minutes=2))("second")
        app.delay(note, run_at=now - timedelta(minutes=1), queue="other")("between")
        app.delay(note, priority=-5)("first")
        app.delay(note)("fourth")
        app.delay(note, run_at=now + timedelta(hours=1), priority=-9)("not yet")
    assert app.worker().work_off() == (5, 0)
    assert trace == ["first", "second", "between", "third", "fourth"]
    assert app.jobs.count() == 1


def test_work_off_stops_at_its_limit(app: Backburner) -> None:
    with app.bulk():
        for number in range(7):
            app.delay(note)(str(number))
    assert app.worker().work_off(limit=5) == (5, 0)
    assert app.jobs.count() == 2
    assert app.worker().work_off() == (2, 0)


def test_a_worker_serves_its_queues_and_priorities(app: Backburner) -> None:
    with app.bulk():
        for queue in ("mail", "default", "slow"):
            for priority in (0, 5, 10):
                app.delay(note, queue=queue, priority=priority)(f"{queue}{priority}")
    assert app.worker(queues=["mail"], max_priority=5).work_off() == (2, 0)
    assert app.worker(exclude=["slow"], min_priority=10).work_off() == (2, 0)
    assert trace == ["mail0", "mail5", "mail10", "default10"] or trace[:2] == ["mail0", "mail5"]
    assert sorted(trace) == ["default10", "mail0", "mail10", "mail5"]


def test_an_async_function_is_awaited(app: Backburner) -> None:
    app.delay(note_async)("awaited")
    assert app.worker().work_off() == (1, 0)
    assert trace == ["awaited"]


def test_the_error_is_kept_and_the_wait_grows(app: Backburner) -> None:
    job = app.delay(fail_with)("no luck")
    worker = app.worker()
    before = datetime.now(UTC)
    assert worker.work_off() == (0, 1)
    failed = app.jobs.get(job.id)
    assert failed.last_error is not None
    assert failed.last_error.startswith("Boom: no luck\n")
    assert "raise Boom(message)" in failed.last_error
    assert failed.is_retrying
    assert timedelta(seconds=5.9) < failed.run_at - before < timedelta(seconds=30)
    assert worker.perform(job) is False
    assert timedelta(seconds=20.9) < app.jobs.get(job.id).run_at - before < timedelta(seconds=60)


def test_a_job_fails_for_good_after_its_last_attempt_and_can_be_retried(app: Backburner) -> None:
    job = app.delay(fail_with, max_attempts=2)("again")
    worker = app.worker()
    assert (worker.perform(job), worker.perform(job)) == (False, False)
    failed = app.jobs.get(job.id)
    assert (failed.state, failed.attempts) == (State.FAILED, 2)
    with pytest.raises(InvalidState):
        worker.perform(job)
    again = app.jobs.retry(job.id)
    assert (again.state, again.attempts, again.failed_at) == (State.QUEUED, 0, None)


def test_a_failed_job_that_is_not_to_be_kept_is_deleted(app: Backburner) -> None:
    job = app.delay(fail_with, max_attempts=1, keep_failed=False)("gone")
    assert app.worker().work_off() == (0, 1)
    with pytest.raises(JobNotFound):
        app.jobs.get(job.id)


def test_steering(app: Backburner) -> None:
    retried, snoozed, cancelled, failed = (app.delay(steer)(how) for how in ("retry", "snooze", "cancel", "fail"))
    assert app.worker().work_off() == (0, 2)
    jobs = app.jobs
    assert (jobs.get(retried.id).state, jobs.get(retried.id).attempts) == (State.QUEUED, 1)
    assert (jobs.get(snoozed.id).state, jobs.get(snoozed.id).attempts) == (State.QUEUED, 0)
    assert jobs.get(snoozed.id).last_error is None
    assert jobs.get(cancelled.id).state is State.CANCELLED
    assert "not needed any more" in (jobs.get(cancelled.id).last_error or "")
    assert (jobs.get(failed.id).state, jobs.get(failed.id).attempts) == (State.FAILED, 1)
    wait = jobs.get(retried.id).run_at - datetime.now(UTC)
    assert timedelta(seconds=30) < wait <= timedelta(seconds=60)


def test_a_job_object_may_say_when_it_is_tried_again(app: Backburner) -> None:
    at = datetime(2031, 5, 1, 12, tzinfo=UTC)
    job = app.enqueue(Rescheduled(at))
    assert app.worker().work_off() == (0, 1)
    assert app.jobs.get(job.id).run_at == at + timedelta(hours=1)


def test_progress_is_kept(app: Backburner) -> None:
    job = app.delay(report)(10)
    assert app.worker().work_off() == (1, 0)
    assert app.jobs.get(job.id).progress == Progress(5, 10, "half-way")


def test_finished_jobs_are_kept_or_deleted(tmp_path: Path) -> None:
    for keep, count in ((0, 0), (60, 1)):
        with Backburner("memory://", allow=["tests"], keep_finished=keep) as app:
            app.delay(note)("done")
            assert app.worker().work_off() == (1, 0)
            assert app.jobs.count(state="succeeded") == count


def test_perform_takes_a_job_that_is_not_due(app: Backburner) -> None:
    job = app.delay(note, run_at=timedelta(hours=1))("early")
    assert app.worker().perform(str(job.id)) is True
    assert trace == ["early"]
    with pytest.raises(InvalidState):
        app.worker().perform(job)
    with pytest.raises(JobNotFound):
        app.worker().perform("00000000-0000-7000-8000-000000000000")
    with pytest.raises(JobNotFound, match="expected a job or the id of one"):
        app.worker().perform("nonsense")


BROKEN = {
    "not JSON": "{",
    "truncated": '{"v":1,"call":{"function":"tests.worker.jobs:note","args":["x"',
    "another shape": "[]",
    "empty": "",
    "another version": '{"v":0,"call":{}}',
    "no function": '{"v":1,"call":{}}',
}


@pytest.mark.parametrize("handler", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_handler_fails_for_good_and_the_rest_goes_on(tmp_path: Path, handler: str) -> None:
    path = tmp_path / "jobs.db"
    with Backburner(f"sqlite:///{path}", allow=["tests"]) as app:
        broken, good = app.delay(note)("broken"), app.delay(note)("good")
        _overwrite_handler(path, str(broken.id), handler)
        assert app.worker().work_off() == (1, 1)
        failed = app.jobs.get(broken.id)
        assert (failed.state, failed.attempts) == (State.FAILED, 0)
        assert (failed.last_error or "").startswith("DeserializationError: ")
        assert failed.name == "note"
        with pytest.raises(DeserializationError):
            failed.payload  # noqa: B018  # loads it
        assert app.jobs.get(good.id).state is State.SUCCEEDED


@pytest.mark.parametrize(
    ("handler", "missing"),
    [
        ('{"v":1,"call":{"function":"tests.worker.jobs:not_yet_deployed"}}', "not_yet_deployed"),
        ('{"v":2,"steps":[]}', "format 2"),
    ],
    ids=["code", "format"],
)
def test_what_is_not_here_yet_is_put_back_without_spending_the_attempt(
    tmp_path: Path, handler: str, missing: str
) -> None:
    path = tmp_path / "jobs.db"
    with Backburner(f"sqlite:///{path}", allow=["tests"]) as app:
        job = app.delay(note)("later")
        _overwrite_handler(path, str(job.id), handler)
        assert app.worker().work_off() == (0, 0)
        back = app.jobs.get(job.id)
        assert (back.state, back.attempts) == (State.QUEUED, 0)
        assert back.run_at - datetime.now(UTC) > timedelta(seconds=50)
        assert missing in (back.last_error or "")
        with pytest.raises(UnknownJob):
            back.payload  # noqa: B018  # loads it


def test_code_that_is_not_allowed_fails_for_good(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    with Backburner(f"sqlite:///{path}") as app:
        job = app.delay(note)("later")
        handler = json.dumps({"v": 1, "call": {"function": "os:getcwd"}})
        _overwrite_handler(path, str(job.id), handler)
        assert app.worker().work_off() == (0, 1)
        failed = app.jobs.get(job.id)
        assert failed.state is State.FAILED
        assert (failed.last_error or "").startswith("NotAllowed: ")


def _overwrite_handler(path: Path, job_id: str, handler: str) -> None:
    with sqlite3.connect(path) as connection:
        changed = connection.execute(
            "UPDATE backburner_jobs SET handler = ? WHERE name = 'note' AND id IN (?, ?)",
            (handler, job_id, bytes.fromhex(job_id.replace("-", ""))),
        )
        assert changed.rowcount == 1
    connection.close()
