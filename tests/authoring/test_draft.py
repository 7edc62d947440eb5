"""The `enqueue` hook and event: the job is a draft, and may be changed or refused."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from backburner import InvalidOption, Job, enqueue, jobs
from tests.authoring import shop

AT = datetime(2030, 1, 1, tzinfo=UTC)
UNUSUAL = ("max_attempts", "max_run_time", "tags")

CHANGES = {
    "queue": ("low", "low"),
    "priority": (9, 9),
    "run_at": (AT, AT),
    "max_attempts": (2, 2),
    "max_run_time": (5, timedelta(seconds=5)),
    "keep_failed": (False, False),
    "discard_missing": (True, True),
    "isolation": ("process", "process"),
    "tags": (["a"], ("a",)),
}


def enqueued_with(changes, way, app):
    if way == "hook":
        return enqueue(shop.Changing(changes))

    def change(job):
        for name, value in changes.items():
            setattr(job, name, value)

    app.before("enqueue")(change)
    if way == "event":
        return shop.send_welcome.delay(1)
    return asyncio.run(shop.send_welcome.adelay(1))


@pytest.mark.parametrize("way", ["hook", "event", "async event"])
@pytest.mark.parametrize("name", CHANGES)
def test_options_may_be_changed(app, way, name):
    value, expected = CHANGES[name]
    job = enqueued_with({name: value}, way, app)
    assert getattr(job, name) == expected
    assert getattr(jobs.get(job.id), name) == expected


def test_a_time_from_now_will_do(app):
    job = enqueue(shop.Changing({"run_at": timedelta(minutes=1), "max_run_time": timedelta(days=3)}))
    assert job.run_at - job.created_at == timedelta(minutes=1)
    assert job.max_run_time == timedelta(hours=4)


@pytest.mark.parametrize("way", ["hook", "event", "async event"])
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("priority", "high", "priority: expected an integer"),
        ("queue", None, "queue: expected a name"),
        ("run_at", datetime(2030, 1, 1), "run_at: expected an aware datetime"),
        ("tags", "abc", "tags: expected a list of texts"),
        ("id", uuid4(), "id: only options may be changed before a job is stored: queue, priority, run_at"),
        ("handler", "{}", "handler: only options may be changed"),
        ("name", "Other", "name: only options may be changed"),
        ("state", "failed", "state: only options may be changed"),
    ],
)
def test_what_is_changed_wrongly_is_refused(app, way, name, value, message):
    with pytest.raises(InvalidOption, match=message):
        enqueued_with({name: value}, way, app)
    assert jobs.count() == 0


def test_the_draft_is_complete_but_not_stored(app):
    counts = []
    app.before("enqueue")(lambda job: counts.append(jobs.count()))
    app.after("enqueue")(lambda job: counts.append(jobs.count()))
    job = enqueue(shop.Changing())
    assert shop.Changing.seen == [job]
    assert shop.Changing.seen[0] is job
    assert job.payload == shop.Changing()
    assert counts == [0, 1]


def test_an_exception_reaches_the_caller_and_nothing_is_stored(app):
    with pytest.raises(LookupError, match="not today"):
        enqueue(shop.Refusing())
    app.before("enqueue")(lambda job: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        shop.send_welcome.delay(1)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(shop.send_welcome.adelay(1))
    assert jobs.count() == 0


def test_async_hooks_are_awaited(app):
    assert enqueue(shop.AsyncHook()).priority == 42

    async def main():
        return (await app.aenqueue(shop.AsyncHook())).priority, app.enqueue(shop.AsyncHook()).priority

    assert asyncio.run(main()) == (42, 42)


def test_hooks_of_a_target_count_only_when_its_class_says_so(app, user):
    assert app.delay(shop.Order(1, "Ann")).activate("x").tags == ("hooked",)
    assert app.delay(shop.Accident(2, "Ann")).activate("x").tags == ()


@pytest.mark.parametrize("is_async", [False, True])
def test_order_of_listeners(app, is_async):
    log = []

    def around(name):
        def listener(job):
            log.append(f"{name} begins")
            yield
            log.append(f"{name} ends")

        return listener

    app.around("enqueue")(around("outer"))
    app.around("enqueue")(around("inner"))
    app.before("enqueue")(lambda job: log.append("before"))
    app.after("enqueue")(lambda job: log.append(f"after {jobs.count()}"))
    asyncio.run(shop.fetch.adelay("a")) if is_async else shop.fetch.delay("a")
    assert log == ["before", "outer begins", "inner begins", "inner ends", "outer ends", "after 1"]


def test_a_listener_around_cannot_swallow_the_exception(app):
    @app.around("enqueue")
    def swallow(job):
        with suppress(LookupError):
            yield

    with pytest.raises(LookupError):
        enqueue(shop.Refusing())


def test_a_draft_is_a_job_as_its_constructor_makes_it(app):
    drafted = shop.send_welcome.delay(1)
    given = ("id", "name", "handler", "queue", "priority", "run_at", "created_at", *UNUSUAL, "reader")
    made = Job(**{name: getattr(drafted, name) for name in given})
    for field in fields(Job):
        assert getattr(drafted, field.name) == getattr(made, field.name) or field.name == "late", field.name
    assert list(drafted.late) == list(made.late)  # where a library is in use, it was looked for
