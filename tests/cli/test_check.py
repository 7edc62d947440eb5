"""The command `backburner check`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backburner import Backburner, Job
from tests.cli.conftest import Call


def ago(**age: float) -> datetime:
    return datetime.now(UTC) - timedelta(**age)


@pytest.fixture
def waiting(app: Backburner) -> Job:
    """A job that has been due for ten minutes, and some that do not matter."""
    import shop  # type: ignore[import-not-found]  # made by a fixture

    shop.send_welcome.options(queue="fresh").delay(1)
    shop.send_welcome.options(queue="later", run_at=3600).delay(2)
    shop.send_welcome.options(run_at=ago(minutes=6)).delay(3)
    job: Job = shop.send_welcome.options(run_at=ago(minutes=10, seconds=5)).delay(4)
    return job


def test_without_jobs_all_is_well(call: Call, app: Backburner) -> None:
    result = call("check")
    assert (result.code, result.out, result.err) == (0, "no job is due\n", "")


def test_the_answer_is_no_when_a_due_job_is_older(call: Call, waiting: Job) -> None:
    result = call("check")
    assert result.code == 1
    assert result.out == (
        "2 jobs have been due for more than 5 min; "
        f"the oldest, send_welcome ({waiting.id}, queue mail), has waited for 10 min\n"
    )
    assert call("check", "--max-age", "480").out.startswith("1 job has been due for more than 8 min; ")


def test_it_is_measured_from_the_time_a_job_was_due(call: Call, app: Backburner) -> None:
    import shop

    shop.send_welcome.options(run_at=60).delay(1)
    assert call("check", "--max-age", "0").code == 0


def test_the_answer_is_yes_when_none_is_older(call: Call, waiting: Job) -> None:
    result = call("check", "--max-age", "3600")
    assert result.code == 0
    assert result.out.startswith("no job has been due for more than 60 min; the oldest, send_welcome")


def test_one_queue_may_be_looked_at(call: Call, waiting: Job) -> None:
    assert call("check", "--queue", "fresh").code == 0
    assert call("check", "--queue", "mail").code == 1
    assert call("check", "--queue", "later").out == "no job is due in the queue later\n"


def test_a_failed_job_does_not_count(call: Call, app: Backburner) -> None:
    import shop

    shop.fail.options(max_attempts=1, run_at=ago(hours=1)).delay("no")
    app.worker().work_off()
    assert call("check").code == 0


def test_json(call: Call, waiting: Job) -> None:
    said = call("check", "--json").json
    assert (said["ok"], said["max_age"], said["queue"], said["overdue"]) == (False, 300, None, 2)
    assert said["oldest"]["id"] == str(waiting.id)
    assert 605 <= said["oldest"]["age"] < 700
    assert call("check", "--json", "--queue", "none").json == {
        "ok": True,
        "max_age": 300,
        "queue": "none",
        "overdue": 0,
        "oldest": None,
    }
