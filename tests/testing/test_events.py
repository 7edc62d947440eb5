"""What the harness says of what happened."""

from __future__ import annotations

from backburner import Backburner, testing
from backburner.testing import Harness, harness
from tests.testing.shop import add, fail


def test_events_in_order(backburner: Harness) -> None:
    job = add.delay(1)
    backburner.drain()
    assert backburner.events.names == ["enqueue", "perform", "invoke"]
    assert {event.job.id for event in backburner.events} == {job.id}


def test_events_of_a_job_that_fails(backburner: Harness) -> None:
    add.delay(1)
    job = fail.options(max_attempts=1).delay("alas")
    assert backburner.drain(raises=False) == (1, 1)
    assert backburner.events.of(job) == ["enqueue", "perform", "invoke", "error", "failure"]
    [error] = [event for event in backburner.events if event.name == "error"]
    assert (error.job.id, str(error.exception)) == (job.id, "alas")


def test_events_of_jobs_that_are_performed_at_once_or_collected(backburner: Harness) -> None:
    with testing.inline():
        add.delay(1)
    with testing.fake():
        add.delay(2)
    assert backburner.events.names == ["enqueue", "invoke", "enqueue"]


def test_the_app_is_left_as_it_was() -> None:
    with Backburner("memory://", allow=["tests.testing"]) as app:
        with harness(app) as under_test:
            add.delay(1)
        add_one = app.delay(add)
        add_one(1)
        assert under_test.events.names == ["enqueue"]
        assert not app.events.hears("enqueue")


def test_other_listeners_stay() -> None:
    heard = []
    with Backburner("memory://", allow=["tests.testing"]) as app:
        app.before("enqueue")(lambda job: heard.append(job.name))
        with harness(app):
            add.delay(1)
        app.delay(add)(2)
    assert heard == ["add", "add"]
