"""`delay_jobs = False`: jobs are performed at once, in the caller, after the round trip through their handlers."""

from __future__ import annotations

import asyncio
import threading

import pytest

from backburner import ConfigurationError, NotSerializable, bulk, current_job, delay, enqueue, job, jobs
from backburner.core.lifecycle import State
from tests.authoring import shop


@pytest.fixture(autouse=True)
def inline(app):
    app.delay_jobs = False


def test_the_job_is_performed_and_not_stored(app, user, done):
    job = user.delay.activate("code")
    assert done == [("activate", "Ann", "code", False)]
    assert (job.state, job.result) == (State.SUCCEEDED, "CODE")
    assert job.finished_at >= job.created_at
    assert jobs.count() == jobs.count(state="succeeded") == 0


def test_each_form(app, user, done):
    delay(shop.plain)(1)
    shop.send_welcome.delay(2)
    enqueue(shop.Hello(user))
    shop.Device("Lorry").bare()
    assert [entry[0] for entry in done] == ["plain", "send_welcome", "hello", "bare"]


def test_its_exception_leaves_the_call(app, user):
    with pytest.raises(ValueError, match="boom"):
        user.delay.explode()


def test_the_payload_makes_the_round_trip(app):
    note = shop.Note("hi")
    job = delay(note).print()
    assert job.payload.target == note
    assert job.payload.target is not note
    with pytest.raises(NotSerializable):
        delay(shop.plain)(threading.Lock())


def test_a_record_is_read_again(app, user, done):
    fresh = shop.User(7, "Anne")
    user.delay.activate("code")
    assert shop.TABLE[7] is fresh
    assert done == [("activate", "Anne", "code", False)]


def test_hooks_run_except_failure(app, done):
    assert enqueue(shop.Traced()).result == "result"
    running, queued = State.RUNNING, State.QUEUED
    assert done == [("enqueue", queued), ("before", running), ("perform",), ("success",), ("after",)]
    done.clear()
    with pytest.raises(ValueError, match="boom"):
        enqueue(shop.Traced(fails=True))
    assert done == [("enqueue", queued), ("before", running), ("perform",), ("error", "boom"), ("after",)]


def test_events_enqueue_and_invoke_run(app, done):
    for event in ("enqueue", "invoke"):
        app.before(event)(lambda job, event=event: done.append(f"before {event}"))
        app.after(event)(lambda job, event=event: done.append(f"after {event} {job.state}"))
    for event in ("perform", "error", "failure"):
        app.before(event)(lambda *_, event=event: done.append(event))
    shop.send_welcome.delay(1)
    with pytest.raises(ValueError, match="boom"):
        enqueue(shop.Traced(fails=True))
    assert done[:4] == ["before enqueue", "before invoke", ("send_welcome", 1, "en"), "after invoke running"]
    assert done[4] == "after enqueue succeeded"
    assert not {"perform", "error", "failure"} & {entry for entry in done if isinstance(entry, str)}


def test_run_at_is_ignored(app, done):
    shop.send_welcome.options(run_at=3600).delay(1)
    assert done == [("send_welcome", 1, "en")]


def test_async_jobs_run_to_their_end(app, done):
    assert shop.fetch.delay("a").result == b"a"

    async def main():
        return shop.fetch.delay("b").result, (await shop.fetch.adelay("c")).result

    assert asyncio.run(main()) == (b"b", b"c")
    assert done == [("fetch", "a"), ("fetch", "b"), ("fetch", "c")]


def test_it_is_the_callers_thread(app, done):
    @app.before("invoke")
    def note(job):
        done.append(threading.get_ident())

    async def main():
        await shop.send_welcome.adelay(1)

    shop.send_welcome.delay(1)
    asyncio.run(main())
    assert {entry for entry in done if isinstance(entry, int)} == {threading.get_ident()}


@job
def reporting() -> tuple[str, bool]:
    running = current_job()
    running.report_progress(1, 2, "half")
    return running.name, running.is_cancelled


def test_the_running_job_can_be_asked(app):
    job = reporting.delay()
    assert job.result == ("reporting", False)
    assert job.progress == (1, 2, "half")


def test_a_bulk_block_does_not_hold_it_up(app, done):
    with bulk():
        shop.send_welcome.delay(1)
        assert done == [("send_welcome", 1, "en")]
    assert jobs.count() == 0


def test_a_callable_decides_for_each_job(app, done):
    app.delay_jobs = lambda job: job.queue == "mail"
    shop.send_welcome.delay(1)
    delay(shop.plain)(2)
    assert done == [("plain", 2)]
    assert jobs.count() == 1


def test_a_callable_sees_what_hooks_changed(app):
    app.delay_jobs = lambda job: job.priority < 5
    assert enqueue(shop.Changing({"priority": 9})).state is State.SUCCEEDED
    assert enqueue(shop.Changing({"priority": 1})).state is State.QUEUED


def test_a_callable_without_parameters(app, done):
    app.delay_jobs = lambda: False
    shop.send_welcome.delay(1)
    assert jobs.count() == 0
    app.delay_jobs = lambda: True
    shop.send_welcome.delay(1)
    assert jobs.count() == 1


def test_it_may_be_set_at_any_time(app, done):
    assert app.delay_jobs is False
    app.delay_jobs = True
    shop.send_welcome.delay(1)
    assert jobs.count() == 1
    assert done == []


@pytest.mark.parametrize("value", ["no", 0, None, lambda a, b: True])
def test_a_wrong_value_is_refused(app, value):
    with pytest.raises(ConfigurationError, match="delay_jobs: expected"):
        app.delay_jobs = value
    assert app.delay_jobs is False
