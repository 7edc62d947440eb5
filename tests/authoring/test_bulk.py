"""`with bulk():` collects jobs and stores them together."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing, suppress

import pytest

from backburner import Backburner, BackburnerError, abulk, aenqueue_all, bulk, enqueue, enqueue_all, jobs
from backburner.app import use
from tests.authoring import shop


@pytest.fixture
def enqueued(app, monkeypatch):
    """The sizes of the store's `enqueue` operations."""
    sizes: list[int] = []
    original = app.store.enqueue

    def counting(drafts):
        sizes.append(len(drafts))
        return original(drafts)

    monkeypatch.setattr(app.store, "enqueue", counting)
    return sizes


def test_jobs_are_stored_when_the_block_ends(app, user, enqueued):
    with bulk():
        first = user.delay.activate("a")
        second = shop.send_welcome.delay(1)
        third = enqueue(shop.Hello(user))
        assert first.id < second.id < third.id
        assert jobs.count() == 0
    assert enqueued == [3]
    assert list(jobs.where()) == [first, second, third]


def test_an_exception_in_the_block_enqueues_nothing(app, user, enqueued):
    with pytest.raises(LookupError), bulk():  # noqa: PT012  # the block is what is tested
        user.delay.activate("a")
        raise LookupError
    assert enqueued == []
    user.delay.activate("b")
    assert jobs.count() == 1


def test_a_refused_job_in_the_block_enqueues_nothing(app, user):
    with pytest.raises(TypeError), bulk():  # noqa: PT012  # the block is what is tested
        user.delay.activate("a")
        user.delay.activate()
    assert jobs.count() == 0


def test_an_empty_block_does_not_touch_the_store(app, enqueued):
    with bulk():
        pass
    assert enqueued == []


def test_one_operation_for_all_jobs_of_a_block(app, enqueued):
    with bulk():
        for number in range(2500):
            shop.send_welcome.delay(number)
    assert enqueued == [2500]
    assert jobs.count() == 2500
    assert [job.payload.args[0] for job in jobs.where()] == list(range(2500))


def test_all_thousands_are_stored_or_none(app):
    if not app.store.capabilities.durable:
        pytest.skip("nothing fails in the middle of the memory store")
    app.migrate()
    with closing(sqlite3.connect(app.store.url.removeprefix("sqlite:///"))) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON backburner_jobs WHEN NEW.handler LIKE '%[2200]%' "
            "BEGIN SELECT RAISE(ABORT, 'no room for this one'); END"
        )
    with pytest.raises(BackburnerError, match="no room for this one"), bulk():  # noqa: PT012  # the block is what is tested
        for number in range(2500):
            shop.send_welcome.delay(number)
    assert jobs.count() == 0


def test_a_block_in_a_block_is_stored_with_the_outer_one(app, enqueued):
    with bulk():
        shop.send_welcome.delay(1)
        with bulk():
            shop.send_welcome.delay(2)
        shop.send_welcome.delay(3)
        assert jobs.count() == 0
    assert enqueued == [3]
    assert [job.payload.args for job in jobs.where()] == [(1,), (2,), (3,)]


def test_a_block_that_raises_in_a_block_loses_only_its_own(app):
    with bulk():
        shop.send_welcome.delay(1)
        with suppress(LookupError), bulk():
            shop.send_welcome.delay(2)
            raise LookupError
    assert [job.payload.args for job in jobs.where()] == [(1,)]


def test_enqueue_all_in_a_block_joins_it(app, enqueued):
    with bulk():
        enqueue_all([shop.Said(), shop.Said()])
        assert jobs.count() == 0
    assert enqueued == [2]


def test_each_app_has_its_own_blocks(app):
    with Backburner("memory://", allow=["tests.authoring.shop"]) as other:
        with other.bulk():
            other.delay(shop.plain)(1)
            shop.send_welcome.delay(1)
            assert (other.jobs.count(), app.jobs.count()) == (0, 1)
        assert (other.jobs.count(), app.jobs.count()) == (1, 1)
        with bulk(), other.bulk():
            shop.send_welcome.delay(2)
        assert app.jobs.count() == 2
        with use(other), bulk():
            shop.send_welcome.delay(3)
        assert other.jobs.count() == 2


def test_threads_do_not_mix(app):
    inside, go_on = threading.Event(), threading.Event()

    def collect():
        with bulk():
            shop.send_welcome.delay(1)
            inside.set()
            go_on.wait(10)

    thread = threading.Thread(target=collect)
    thread.start()
    assert inside.wait(10)
    shop.send_welcome.delay(2)
    assert [job.payload.args for job in jobs.where()] == [(2,)]
    go_on.set()
    thread.join()
    assert jobs.count() == 2


def test_tasks_do_not_mix(app):
    async def main():
        inside, go_on = asyncio.Event(), asyncio.Event()

        async def collect():
            async with abulk():
                shop.send_welcome.delay(1)
                inside.set()
                await go_on.wait()
                raise LookupError

        task = asyncio.create_task(collect())
        await inside.wait()
        await shop.send_welcome.adelay(2)
        assert await jobs.acount() == 1
        go_on.set()
        with pytest.raises(LookupError):
            await task

    asyncio.run(main())
    assert [job.payload.args for job in jobs.where()] == [(2,)]


def test_tasks_that_a_block_starts_belong_to_it(app, enqueued):
    async def main():
        async with abulk():
            await asyncio.gather(*(shop.send_welcome.adelay(number) for number in range(3)))
            await asyncio.to_thread(shop.send_welcome.delay, 3)
            assert await jobs.acount() == 0

    asyncio.run(main())
    assert enqueued == [4]


def test_a_task_that_outlives_its_block_enqueues_at_once(app, enqueued):
    async def main():
        ended = asyncio.Event()

        async def later():
            await ended.wait()
            return shop.send_welcome.delay(2)

        async with abulk():
            shop.send_welcome.delay(1)
            task = asyncio.create_task(later())
        ended.set()
        return await task

    asyncio.run(main())
    assert enqueued == [1, 1]


def test_async_block(app, user, enqueued):
    async def main():
        async with abulk():
            first = user.delay.activate("a")
            second = await user.adelay.activate("b")
            third = await app.aenqueue(shop.Hello(user))
            assert await jobs.acount() == 0
        return [first, second, third]

    assert asyncio.run(main()) == list(jobs.where())
    assert enqueued == [3]


def test_async_block_that_is_cancelled_enqueues_nothing(app):
    async def main():
        inside = asyncio.Event()

        async def collect():
            async with abulk():
                shop.send_welcome.delay(1)
                inside.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(collect())
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert jobs.count() == 0


def test_aenqueue_all(app, user, enqueued):
    stored = asyncio.run(aenqueue_all([shop.Hello(user)] * 1001, queue="mail"))
    assert enqueued == [1001]
    assert [job.id for job in stored] == [job.id for job in jobs.where(queue="mail")]


def test_hooks_and_listeners_see_each_job_at_its_line(app):
    seen = []
    app.before("enqueue")(seen.append)
    with bulk():
        job = enqueue(shop.Changing({"priority": 3}))
        assert seen == [job]
        assert job.priority == 3
    assert jobs.get(job.id).priority == 3


def test_workers_are_woken_once_for_a_block(app, monkeypatch):
    woken = []
    monkeypatch.setattr(app.store, "notify", lambda connection: woken.append((connection, jobs.count())))
    with bulk():
        shop.send_welcome.delay(1)
        shop.send_welcome.delay(2)
        assert woken == []
    assert woken == [(None, 2)]
