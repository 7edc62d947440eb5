"""inline, fake and delay_jobs."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from backburner import Backburner, NotSerializable, abulk, aenqueue, bulk, delay, enqueue, testing
from backburner.app import use
from backburner.core.job import Job
from backburner.mail import Mailer
from backburner.testing import Harness
from tests.testing.shop import HelloEmailJob, Plain, ShopMailer, User, add, chain, done, fail, note_id, slowly


@pytest.mark.usefixtures("backburner")
def test_inline_performs_where_it_is_enqueued(backburner: Harness) -> None:
    user = User(7, "Ann")
    User(7, "Anna")
    with testing.inline() as app:
        assert app is backburner.app
        job = add.options(run_at=timedelta(days=1)).delay(1)
        enqueue(HelloEmailJob(user))
        slowly.delay(2)
        chain.delay([3, 4])
        noted = note_id.delay()
    assert done == [1, 2, 3, 4, noted.id]
    assert [mail.to for mail in Mailer.deliveries] == [["anna@example.com"]]  # the record was read again
    assert (job.state, job.result) == ("succeeded", None)
    assert backburner.app.jobs.count() == 0


def test_inline_lets_exceptions_out(backburner: Harness) -> None:
    with testing.inline(), pytest.raises(ZeroDivisionError, match="alas"):
        fail.delay("alas")
    assert backburner.app.jobs.count() == 0
    fail.delay("alas")
    assert backburner.app.jobs.count() == 1


def test_inline_with_async_forms(backburner: Harness) -> None:
    async def enqueue_both() -> None:
        await slowly.adelay(1)
        await aenqueue(Plain(2))

    with testing.inline():
        asyncio.run(enqueue_both())
    assert done == [1, 2]


def test_fake_collects(backburner: Harness) -> None:
    user = User(7, "Ann")
    with testing.fake() as enqueued:
        job: Any = ShopMailer.delay(queue="mail").hello(user)
        add.options(run_at=timedelta(days=1)).delay(1)
    assert enqueued[0] is job
    assert [job.name for job in enqueued] == ["ShopMailer.hello", "add"]
    assert enqueued[0].payload.args[0].name == "Ann"
    enqueued.assert_enqueued(ShopMailer.hello, user, queue="mail")
    enqueued.refute_enqueued(User)
    with pytest.raises(AssertionError, match=r"^expected a job User; found none among 2 jobs\nThe nearest, "):
        enqueued.assert_enqueued(User)
    assert backburner.enqueued() == []
    assert done == []


def test_fake_checks_what_is_enqueued(backburner: Harness) -> None:
    with testing.fake() as enqueued, pytest.raises(NotSerializable, match=r"args\[0\]"):
        add.delay(object())  # type: ignore[arg-type]  # the mistake
    assert enqueued == []


def test_fake_with_bulk_and_async_forms(backburner: Harness) -> None:
    async def enqueue_some() -> None:
        await slowly.adelay(1)
        async with abulk():
            slowly.delay(2)

    with testing.fake() as enqueued:
        asyncio.run(enqueue_some())
        with bulk():
            slowly.delay(3)
            assert len(enqueued) == 2
    assert [job.payload.args for job in enqueued] == [(1,), (2,), (3,)]


def test_fake_with_an_app_that_is_not_the_current_one(backburner: Harness) -> None:
    with Backburner("memory://") as other:
        with testing.fake(other) as enqueued:
            other.delay(add)(1)
            add.delay(2)
        assert [job.payload.args for job in enqueued] == [(1,)]
        with testing.inline(other):
            other.delay(add)(3)
    assert done == [3]
    backburner.assert_enqueued(add, 2, count=1)


def test_modes_may_be_nested(backburner: Harness) -> None:
    with testing.fake() as outer:
        add.delay(1)
        with testing.inline():
            add.delay(2)
            with testing.fake() as inner:
                add.delay(3)
        add.delay(4)
    add.delay(5)
    assert [job.payload.args for job in outer] == [(1,), (4,)]
    assert [job.payload.args for job in inner] == [(3,)]
    assert done == [2]
    assert [job.payload.args for job in backburner.enqueued()] == [(5,)]


def test_modes_end_when_the_block_raises(backburner: Harness) -> None:
    with pytest.raises(KeyError), testing.fake():
        raise KeyError
    with pytest.raises(KeyError), testing.inline():
        raise KeyError
    add.delay(1)
    backburner.assert_enqueued(add)


def test_delay_jobs_is_a_switch(backburner: Harness) -> None:
    app = backburner.app
    app.delay_jobs = False
    delay(User(7, "Ann")).activate("code")
    assert done == [("Ann", "code", False)]
    app.delay_jobs = True
    delay(User(7, "Ann")).activate("code")
    assert app.jobs.count() == 1


def test_the_harness_has_all_that_the_app_has(backburner: Harness) -> None:
    backburner.delay(add, queue="sums")(1)
    assert backburner.jobs.count(queue="sums") == 1
    assert backburner.worker().work_off() == (1, 0)
    assert backburner.delay_jobs is True
    backburner.delay_jobs = False
    assert backburner.app.delay_jobs is False
    add.delay(2)
    assert done == [1, 2]
    with pytest.raises(AttributeError, match="no attribute 'jobbs'"):
        backburner.jobbs.count()


def test_delay_jobs_may_be_asked(backburner: Harness) -> None:
    def is_slow(job: Job[Any]) -> bool:
        return job.queue == "slow"

    backburner.app.delay_jobs = is_slow
    add.delay(1)
    add.options(queue="slow").delay(2)
    assert done == [1]
    assert [job.payload.args for job in backburner.enqueued()] == [(2,)]
    backburner.app.delay_jobs = lambda: False
    add.delay(3)
    assert done == [1, 3]


def test_fake_goes_before_delay_jobs() -> None:
    with Backburner("memory://", delay_jobs=False) as app, use(app):
        with testing.fake() as enqueued:
            add.delay(1)
        assert (len(enqueued), done) == (1, [])
        add.delay(2)
        assert done == [2]
