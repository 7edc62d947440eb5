"""`app.jobs` and `app.queues`: looking at what is there, and acting on it."""

from __future__ import annotations

import asyncio
import inspect
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from backburner import Backburner, InvalidOption, InvalidState, JobNotFound, UnknownOption, jobs
from backburner.app import use
from backburner.core.lifecycle import State
from backburner.inspection import PAGE, Jobs, Queues
from tests.app import work

GONE = UUID("01890000-0000-7000-8000-000000000000")


@pytest.fixture
def some(app):
    """Jobs in several states, by what they are."""
    with app.bulk():
        made = {
            "queued": work.add.options(queue="a", priority=3, tags=["x"]).delay(1, 2),
            "later": work.add.options(queue="b", run_at=3600).delay(1, 2),
            "method": work.User().delay(queue="b").activate("code"),
            "done": work.add.options(queue="done").delay(1, 2),
            "failed": work.fail.options(queue="failed", max_attempts=1).delay(),
            "cancelled": work.call_off.options(queue="done").delay(),
        }
    app.worker(queues=["done", "failed"]).work_off()
    return {name: app.jobs.get(job.id) for name, job in made.items()}


def ids(found):
    return [job.id for job in found]


def test_the_states(some):
    assert {name: job.state.value for name, job in some.items()} == {
        "queued": "queued",
        "later": "queued",
        "method": "queued",
        "done": "succeeded",
        "failed": "failed",
        "cancelled": "cancelled",
    }


def test_count(app, some):
    assert jobs.count() == app.jobs.count() == 4
    assert jobs.count(queue="b") == 2
    assert jobs.count(state="failed") == jobs.count(state=State.FAILED) == 1
    assert jobs.count(state="succeeded") == 1
    assert jobs.count(state=["succeeded", "cancelled"]) == 2
    assert jobs.count(state=State) == 6
    assert jobs.count(name="User.activate") == 1
    assert jobs.count(tag="x") == jobs.count(priority=3) == 1
    assert jobs.count(queue="b", name="add") == 1
    assert jobs.count(queue="nowhere") == 0
    assert jobs.count(queue=None, state=None) == 4


def test_first_and_last(some):
    assert jobs.first() == some["queued"]
    assert jobs.last() == some["failed"]
    assert jobs.first(queue="b") == some["later"]
    assert jobs.last(state="cancelled") == some["cancelled"]
    assert jobs.first(queue="nowhere") is None
    assert jobs.last(queue="nowhere") is None


def test_where_yields_the_newest_last(some):
    assert list(jobs.where()) == [some["queued"], some["later"], some["method"], some["failed"]]
    assert list(jobs.where(queue="b")) == [some["later"], some["method"]]
    assert list(jobs.where(state=list(State))) == list(some.values())
    assert list(jobs.where(queue="nowhere")) == []


def test_where_reads_page_by_page(app, monkeypatch):
    made = app.enqueue_all(work_objects(2 * PAGE + 1))
    reads = []
    original = app.store.find
    monkeypatch.setattr(app.store, "find", lambda *args, **kwargs: reads.append(kwargs) or original(*args, **kwargs))
    found = jobs.where()
    assert next(found).id == made[0].id
    assert len(reads) == 1
    assert ids(found) == ids(made[1:])
    assert {read["limit"] for read in reads} == {PAGE}


def work_objects(count):
    from backburner.core.payload import Call

    return [Call(work.add, None, (1, 2)) for _ in range(count)]


def test_jobs_added_or_removed_meanwhile_do_not_upset_where(app):
    app.enqueue_all(work_objects(PAGE + 10))
    seen = []
    for number, job in enumerate(jobs.where()):
        seen.append(job.id)
        if number == PAGE - 1:
            jobs.delete(job.id)
            added = work.add.delay(1, 2)
    assert len(seen) == len(set(seen)) == PAGE + 11
    assert seen[-1] == added.id


def test_get(some):
    job = some["queued"]
    assert jobs.get(job.id) == jobs.get(str(job.id)) == jobs.get(job.id.hex) == jobs.get(job) == job
    assert jobs.get(some["done"].id).state is State.SUCCEEDED


@pytest.mark.parametrize("missing", [GONE, str(GONE), "abc", "", "12", None, 3])
@pytest.mark.parametrize("verb", ["get", "retry", "cancel", "delete", "aget", "aretry", "acancel", "adelete"])
def test_an_unknown_id_is_not_found(app, verb, missing):
    act = getattr(jobs, verb)
    with pytest.raises(JobNotFound) as caught:
        asyncio.run(act(missing)) if inspect.iscoroutinefunction(act) else act(missing)
    assert repr(missing) in str(caught.value) or str(missing) in str(caught.value)


def test_text_that_is_no_id_says_what_was_expected(app):
    with pytest.raises(JobNotFound, match="no job has the id 'abc': expected a UUID or its text"):
        jobs.get("abc")


def test_jobs_are_values(app, some):
    job = jobs.get(some["queued"].id)
    job.priority = 99
    assert jobs.get(job.id).priority == 3


def test_every_job_can_load_its_payload(app, some):
    job = some["queued"]
    found = [
        jobs.first(),
        jobs.get(job.id),
        next(jobs.where()),
        jobs.retry(job.id),
        jobs.cancel(job.id),
        jobs.delete(job.id),
    ]
    assert {one.payload.args for one in found if one is not None} == {(1, 2)}
    assert len(found) == 6


def test_a_job_without_its_code_still_has_its_name(app, some):
    job = jobs.get(some["queued"].id)
    job.handler = "broken"
    assert job.name == "add"


def test_retry(some):
    before = datetime.now(UTC)
    for name in ("failed", "cancelled", "later"):
        job = jobs.retry(some[name].id)
        assert jobs.get(job.id) == job
        assert (job.state, job.attempts, job.failed_at) == (State.QUEUED, 0, None)
        assert before - timedelta(seconds=1) <= job.run_at <= datetime.now(UTC)
    with pytest.raises(InvalidState):
        jobs.retry(some["done"].id)


def test_retry_all(some):
    assert jobs.retry_all(queue="nowhere") == 0
    assert jobs.retry_all(queue="failed") == 1
    assert jobs.get(some["failed"].id).state is State.QUEUED
    assert jobs.retry_all() == 0
    assert jobs.retry_all(state="cancelled") == 1
    assert jobs.get(some["cancelled"].id).state is State.QUEUED


def test_retrying_wakes_waiting_workers(app, some, monkeypatch):
    woken = []
    monkeypatch.setattr(app.store, "notify", lambda: woken.append(jobs.count(state="queued")))
    jobs.retry(some["failed"].id)
    jobs.retry_all(state="cancelled")
    app.queues.resume("a")
    asyncio.run(jobs.aretry(some["later"].id))
    assert woken == [4, 5, 5, 5]


def test_cancel(some):
    job = jobs.cancel(some["queued"].id)
    assert job.state is State.CANCELLED
    assert jobs.get(job.id) == job
    for name in ("queued", "done"):
        with pytest.raises(InvalidState):
            jobs.cancel(some[name].id)


def test_delete_returns_the_job_as_it_was(some):
    assert jobs.delete(some["queued"].id) == some["queued"]
    assert jobs.delete(str(some["done"].id)) == some["done"]
    for name in ("queued", "done"):
        with pytest.raises(JobNotFound):
            jobs.get(some[name].id)


def test_a_running_job_is_not_deleted(app):
    job = work.add.delay(1, 2)
    app.store.run(app.store.claim_one(job.id, 1 << 32, "test"))
    with pytest.raises(InvalidState):
        jobs.delete(job.id)
    assert jobs.cancel(job.id).state is State.RUNNING
    assert jobs.get(job.id).is_cancelled
    assert jobs.clear() == 0
    assert jobs.count(state="running") == 1


def test_clear(some):
    assert jobs.clear(queue="b") == 2
    assert jobs.clear(state="failed") == 1
    assert jobs.count(state=list(State)) == 3
    assert jobs.clear() == 3
    assert jobs.count(state=list(State)) == 0


def test_an_unknown_state_names_the_known_ones(app):
    for look in (jobs.count, jobs.first, jobs.clear, lambda state: next(jobs.where(state=state))):
        with pytest.raises(
            InvalidOption, match="expected one of queued, running, blocked, succeeded, failed, cancelled"
        ):
            look(state="finished")
    with pytest.raises(ValueError, match="'finished' is not a valid State"):
        jobs.count(state=["failed", "finished"])


def test_an_unknown_filter_names_the_known_ones(app):
    with pytest.raises(
        UnknownOption, match="unknown filter 'queues': expected one of queue, state, name, tag, priority"
    ):
        jobs.count(queues="a")  # type: ignore[call-arg]  # the mistake that is tested


def test_async_twins(app, some):
    async def main():
        assert await jobs.acount(queue="b") == 2
        assert await jobs.afirst() == some["queued"]
        assert await jobs.alast() == some["failed"]
        assert await jobs.aget(str(some["done"].id)) == some["done"]
        assert [job async for job in jobs.awhere(queue="b")] == [some["later"], some["method"]]
        assert (await jobs.aretry(some["failed"].id)).state is State.QUEUED
        assert await jobs.aretry_all(state="cancelled") == 1
        assert (await jobs.acancel(some["queued"].id)).state is State.CANCELLED
        assert await jobs.adelete(some["done"].id) == some["done"]
        assert await jobs.aclear(queue="b") == 2
        await app.queues.apause("a")
        assert [(queue.name, queue.paused) for queue in await app.queues.alist()][:1] == [("a", True)]
        await app.queues.aresume("a")

    asyncio.run(main())
    assert jobs.count(state=list(State)) == 3


@pytest.mark.parametrize("cls", [Jobs, Queues])
def test_every_method_has_its_twin(cls):
    public = {name for name in vars(cls) if not name.startswith("_")}
    plain = {name for name in public if f"a{name}" in public}
    assert public == plain | {f"a{name}" for name in plain}
    for name in plain - {"where"}:
        twin = getattr(cls, f"a{name}")
        assert inspect.iscoroutinefunction(twin)
        assert inspect.signature(twin) == inspect.signature(getattr(cls, name))


def test_awhere_reads_page_by_page(app):
    made = app.enqueue_all(work_objects(PAGE + 1))

    async def main():
        return [job.id async for job in jobs.awhere()]

    assert asyncio.run(main()) == ids(made)


def test_queues(app, some):
    assert {queue.name: queue.counts for queue in app.queues.list()} == {
        "a": {State.QUEUED: 1},
        "b": {State.QUEUED: 2},
        "failed": {State.FAILED: 1},
    }
    app.queues.pause("a")
    app.queues.pause("new")
    assert [queue.name for queue in app.queues.list() if queue.paused] == ["a", "new"]
    assert app.worker(queues=["a"]).work_off() == (0, 0)
    app.queues.resume("a")
    assert app.worker(queues=["a"]).work_off() == (1, 0)


def test_what_is_no_queue(app):
    for act in (app.queues.pause, app.queues.resume):
        with pytest.raises(InvalidOption, match="queue: expected a name"):
            act("")


def test_the_jobs_of_the_module_are_those_of_the_current_app(app, some):
    with Backburner("memory://") as other, use(other):
        assert jobs.count() == 0
    assert jobs.count() == 4


def test_ids_are_ordered_by_creation(app):
    made = [work.add.delay(1, 2) for _ in range(20)]
    assert ids(jobs.where()) == sorted(ids(made))
    assert all(isinstance(job.id, UUID) and job.id.version == 7 for job in made)
