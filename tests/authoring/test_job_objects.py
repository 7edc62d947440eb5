"""`enqueue(job_object)`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from backburner import EnqueueError, InvalidOption, UnknownOption, aenqueue, enqueue, enqueue_all, jobs
from tests.authoring import shop


def test_a_job_object_is_stored_by_value_and_performed(app, user, done):
    job = enqueue(shop.Hello(user), priority=5, queue="mail")
    assert (job.name, job.priority, job.queue) == ("Hello", 5, "mail")
    assert jobs.get(job.id) == job
    assert job.payload == shop.Hello(user)
    assert app.worker().work_off() == (1, 0)
    assert done == [("hello", "Ann")]


def test_without_options_the_app_decides(app, user):
    job = enqueue(shop.Hello(user))
    assert (job.queue, job.priority, job.max_attempts, job.keep_failed) == ("default", 0, 25, True)
    assert (job.max_run_time, job.run_at, job.tags) == (timedelta(hours=4), job.created_at, ())
    assert job.created_at.tzinfo is UTC
    assert abs(job.created_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_class_answers_for_its_options(app):
    job = enqueue(shop.Said(size=8))
    assert (job.queue, job.priority, job.max_attempts, job.keep_failed) == ("said", 8, 3, False)
    assert job.max_run_time == timedelta(minutes=1)


def test_declared_fields_are_data(app):
    job = enqueue(shop.Declared())
    assert (job.queue, job.priority) == ("default", 0)


def test_enqueue_all(app, user):
    stored = enqueue_all([shop.Hello(user), shop.Said()], priority=3)
    assert [job.name for job in jobs.where(priority=3)] == ["Hello", "Said"]
    assert stored == list(jobs.where())
    assert enqueue_all(shop.Hello(user) for _ in range(3))[0].id in {job.id for job in jobs.where()}
    assert enqueue_all([]) == []


def test_enqueue_all_stores_all_or_none(app, user):
    with pytest.raises(EnqueueError):
        enqueue_all([shop.Hello(user), object()])
    with pytest.raises(ZeroDivisionError):
        enqueue_all(shop.Hello(user) for _ in [1 / 1, 1 / 0])
    assert jobs.count() == 0


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (3, r"int: it has no perform\(\)"),
        (None, r"NoneType: it has no perform\(\)"),
        (shop.Hello, "cannot enqueue the class Hello: expected an instance of it"),
        (shop.plain, r"no perform\(\)"),
        (shop.send_welcome, r"no perform\(\)"),
    ],
)
def test_what_is_no_job_object(app, payload, message):
    with pytest.raises(EnqueueError, match=message):
        enqueue(payload)
    assert jobs.count() == 0


class NeedsMore:
    def perform(self, what: str) -> None:
        pass


def test_perform_takes_no_arguments(app):
    app.allow(__name__)
    with pytest.raises(EnqueueError, match="NeedsMore must need no arguments"):
        enqueue(NeedsMore())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"prio": 3}, UnknownOption, "unknown option 'prio': expected one of queue, priority, run_at, max_attempts"),
        (
            {"priority": "high"},
            InvalidOption,
            "priority: expected an integer from -2147483648 to 2147483647, got 'high'",
        ),
        ({"priority": True}, InvalidOption, "priority: expected an integer"),
        ({"priority": 2**31}, InvalidOption, "priority: expected an integer"),
        ({"priority": lambda: 3}, InvalidOption, "priority: expected an integer"),
        ({"queue": ""}, InvalidOption, "queue: expected a name"),
        ({"queue": "a\nb"}, InvalidOption, "queue: expected a name"),
        ({"run_at": datetime(2030, 1, 1)}, InvalidOption, "run_at: expected an aware datetime"),
        ({"run_at": "tomorrow"}, InvalidOption, "run_at: expected a timedelta or a number of seconds, got 'tomorrow'"),
        ({"run_at": float("inf")}, InvalidOption, "run_at: expected fewer seconds, got inf"),
        ({"run_at": datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))}, InvalidOption, "run_at: "),
        ({"run_at": float("nan")}, InvalidOption, "run_at: "),
        ({"max_attempts": -1}, InvalidOption, "max_attempts: expected a number of attempts of 0 or more, got -1"),
        ({"max_run_time": 0}, InvalidOption, "max_run_time: expected more than zero seconds, got 0"),
        ({"keep_failed": "no"}, InvalidOption, "keep_failed: expected True or False, got 'no'"),
        ({"missing_record": "ignore"}, InvalidOption, "missing_record: expected 'fail' or 'discard', got 'ignore'"),
        ({"tags": "abc"}, InvalidOption, "tags: expected a list of texts, got 'abc'"),
    ],
)
def test_wrong_options_are_errors_at_the_line_and_nothing_is_stored(app, user, options, error, message):
    for refused in (
        lambda: enqueue(shop.Hello(user), **options),
        lambda: enqueue_all([shop.Hello(user)], **options),
        lambda: app.delay(user, **options),
        lambda: user.delay(**options),
        lambda: shop.send_welcome.options(**options),
    ):
        with pytest.raises(error) as caught:
            refused()
        assert str(caught.value).startswith(message)
        assert isinstance(caught.value, TypeError)
    assert jobs.count() == 0


def test_none_means_not_given(app, user):
    assert enqueue(shop.Said(), queue=None, run_at=None).queue == "said"


def test_an_option_of_none_does_not_hide_an_unknown_one(app, user):
    with pytest.raises(UnknownOption):
        enqueue(shop.Hello(user), prio=None)


@pytest.mark.parametrize("zone", [UTC, "Europe/Berlin"])
def test_run_at_is_kept_in_utc(app, user, zone):
    from zoneinfo import ZoneInfo

    at = datetime(2030, 7, 1, 12, tzinfo=zone if zone is UTC else ZoneInfo(zone))
    job = enqueue(shop.Hello(user), run_at=at)
    assert job.run_at == at
    assert job.run_at.tzinfo is UTC
    assert jobs.get(job.id).run_at == at


def test_run_at_ends_with_the_calendar(app, user):
    with pytest.raises(InvalidOption, match="run_at: expected a time before the year 10000, got .* from now"):
        enqueue(shop.Hello(user), run_at=timedelta.max)
    assert jobs.count() == 0


def test_run_at_counts_from_now(app, user):
    for later in (timedelta(seconds=90), 90, 90.0):
        job = enqueue(shop.Hello(user), run_at=later)
        assert job.run_at - job.created_at == timedelta(seconds=90)
        assert job.is_scheduled
    assert enqueue(shop.Hello(user), run_at=-60).run_at < job.created_at


def test_max_run_time_is_cut_to_that_of_the_app(app, user):
    assert enqueue(shop.Hello(user), max_run_time=timedelta(days=1)).max_run_time == timedelta(hours=4)
    assert enqueue(shop.Hello(user), max_run_time=1.5).max_run_time == timedelta(seconds=1.5)


async def _enqueue(payload):
    return await aenqueue(payload, queue="mail")


def test_async_twin(app, user):
    import asyncio

    job = asyncio.run(_enqueue(shop.Hello(user)))
    assert jobs.get(job.id) == job
    assert job.queue == "mail"
