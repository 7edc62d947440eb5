"""drain, perform and travel."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backburner import (
    Backburner,
    ConfigurationError,
    InvalidState,
    JobNotFound,
    JobTimeout,
    Retry,
    UnknownJob,
    delay,
    enqueue,
)
from backburner.mail import Mailer
from backburner.testing import Clock, Harness, harness
from backburner.testing.performing import Waiting
from tests.testing.shop import (
    HelloEmailJob,
    Plain,
    ShopMailer,
    Troubled,
    User,
    add,
    chain,
    done,
    endless,
    fail,
    for_ever,
    interrupted,
    later,
    note_id,
    note_time,
    retry,
    slowly,
    snooze,
)


def test_drain_performs_what_is_due(backburner: Harness) -> None:
    add.delay(2)
    slowly.delay(3)
    enqueue(Plain(4))
    User(7, "Ann").delay.activate("code")
    add.options(run_at=timedelta(days=1)).delay(5)
    assert backburner.drain() == (4, 0)
    assert done == [2, 3, 4, ("Ann", "code", False)]
    assert backburner.app.jobs.count() == 1
    assert backburner.drain() == (0, 0)


def test_drain_performs_in_the_order_of_a_worker(backburner: Harness) -> None:
    for number, priority in [(1, 0), (2, 5), (3, -5), (4, 0)]:
        add.options(priority=priority).delay(number)
    backburner.drain()
    assert done == [3, 1, 4, 2]


def test_drain_performs_what_jobs_enqueue(backburner: Harness) -> None:
    chain.delay([1, 2, 3])
    assert backburner.drain() == (3, 0)
    assert done == [1, 2, 3]


def test_drain_loads_jobs_from_their_handlers(backburner: Harness) -> None:
    user = User(7, "Ann")
    user.delay.activate("code")
    User(7, "Anna")
    backburner.drain()
    assert done == [("Anna", "code", False)]


def test_drain_delivers_mail(backburner: Harness) -> None:
    ShopMailer.delay.hello(User(7, "Ann"))
    enqueue(HelloEmailJob(User(8, "Bob")))
    assert backburner.drain() == (2, 0)
    assert [mail.to for mail in Mailer.deliveries] == [["ann@example.com"], ["bob@example.com"]]


def test_drain_raises_what_a_job_raises_and_leaves_the_rest(backburner: Harness) -> None:
    add.delay(1)
    job = fail.delay("alas")
    add.delay(2)
    with pytest.raises(ZeroDivisionError, match="^alas$") as raised:
        backburner.drain()
    assert raised.traceback[-1].name == "fail"
    assert done == [1, "alas"]
    assert backburner.app.jobs.get(job.id).attempts == 1
    assert backburner.drain() == (1, 0)
    assert done == [1, "alas", 2]


def test_drain_goes_on_if_wanted(backburner: Harness) -> None:
    fail.delay("alas")
    add.delay(2)
    assert backburner.drain(raises=False) == (1, 1)
    assert backburner.app.jobs.count(state="queued") == 1


def test_drain_refuses_what_it_does_not_know(backburner: Harness) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'limt'"):
        backburner.drain(limt=1)


def test_drain_raises_what_ends_a_job_for_good(backburner: Harness) -> None:
    job = fail.options(max_attempts=1).delay("alas")
    with pytest.raises(ZeroDivisionError):
        backburner.drain()
    assert backburner.app.jobs.get(job.id).state == "failed"


def test_drain_raises_the_wish_to_be_retried(backburner: Harness) -> None:
    retry.delay()
    with pytest.raises(Retry):
        backburner.drain()


def test_drain_counts_neither_snoozed_nor_cancelled_jobs(backburner: Harness) -> None:
    snooze.delay()
    add.delay(1)
    assert backburner.drain() == (1, 0)
    assert done == [1]


def test_drain_raises_when_the_code_of_a_job_is_not_there(backburner: Harness) -> None:
    job = add.delay(1)
    backburner.app.jobs.clear()
    job.handler = job.handler.replace(":add", ":subtract")
    backburner.app.store.run(backburner.app.store.enqueue([job]))
    with pytest.raises(UnknownJob, match="subtract"):
        backburner.drain()
    assert backburner.drain(raises=False) == (0, 0)


def test_drain_raises_the_exception_of_the_job_and_not_that_of_its_failure_hook(backburner: Harness) -> None:
    enqueue(Troubled())
    with pytest.raises(ZeroDivisionError):
        backburner.drain()


def test_drain_performs_so_many_jobs_at_most(backburner: Harness) -> None:
    for number in range(3):
        add.delay(number)
    for_ever.delay()
    assert backburner.drain(limit=2) == (2, 0)
    assert done == [0, 1]
    assert backburner.drain(limit=5) == (5, 0)


def test_drain_ends_when_jobs_enqueue_each_other_for_ever(backburner: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backburner.testing.performing.MOST", 20)
    for_ever.delay()
    with pytest.raises(AssertionError) as raised:
        backburner.drain()
    assert str(raised.value) == "performed 20 jobs and there are more: do they enqueue each other for ever?"


def test_drain_where_an_event_loop_runs(backburner: Harness) -> None:
    async def enqueue_and_drain() -> tuple[int, int]:
        await slowly.adelay(1)
        return backburner.drain()

    assert asyncio.run(enqueue_and_drain()) == (1, 0)
    assert done == [1]


def test_perform_one_job(backburner: Harness) -> None:
    job = note_id.options(run_at=timedelta(days=1)).delay()
    add.delay(1)
    assert backburner.perform(job) is True
    assert done == [job.id]
    assert backburner.app.jobs.get(job.id).state == "succeeded"
    assert backburner.perform(str(add.delay(2).id)) is True
    assert done == [job.id, 2]


def test_perform_raises_what_the_job_raises(backburner: Harness) -> None:
    job = fail.delay("alas")
    with pytest.raises(ZeroDivisionError, match="^alas$"):
        backburner.perform(job)
    assert backburner.perform(job, raises=False) is False
    assert backburner.app.jobs.get(job.id).state == "failed"
    with pytest.raises(InvalidState):
        backburner.perform(job)
    with pytest.raises(JobNotFound):
        backburner.perform("00000000-0000-7000-8000-000000000000")


def test_travel_makes_jobs_due(backburner: Harness) -> None:
    add.options(run_at=timedelta(hours=1)).delay(1)
    fail.delay("alas")
    assert backburner.drain(raises=False) == (0, 1)
    backburner.travel(timedelta(seconds=7))
    assert backburner.drain(raises=False) == (0, 1)
    assert backburner.app.jobs.count(state="failed") == 1
    backburner.travel(3600)
    assert backburner.drain() == (1, 0)
    assert done == ["alas", "alas", 1]


def test_travel_to_a_time(backburner: Harness) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    add.options(run_at=tomorrow).delay(1)
    backburner.travel(tomorrow)
    assert backburner.drain() == (1, 0)
    with pytest.raises(ValueError, match=r"^expected a time from .* on, got .*: a clock of jobs never goes back$"):
        backburner.travel(tomorrow)
    with pytest.raises(ValueError, match=r"^expected an aware datetime or a duration, got the naive "):
        backburner.travel(datetime(2100, 1, 1))


def test_drain_until_lets_time_pass_from_job_to_job(backburner: Harness) -> None:
    started = backburner.app.store.now()
    for hours in (3, 1, 2, 5):
        note_time.options(run_at=timedelta(hours=hours)).delay(hours)
    assert backburner.drain(until=timedelta(hours=4)) == (3, 0)
    assert [hours for hours, _ in done] == [1, 2, 3]
    for hours, at in done:
        assert timedelta(0) <= at - started - timedelta(hours=hours) < timedelta(minutes=1)
    assert timedelta(0) <= backburner.app.store.now() - started - timedelta(hours=4) < timedelta(minutes=1)
    assert backburner.drain(until=started + timedelta(hours=6)) == (1, 0)


def test_drain_until_performs_retries_and_what_is_enqueued_meanwhile(backburner: Harness) -> None:
    fail.delay("alas")
    later.delay(2)
    assert backburner.drain(until=timedelta(days=1), raises=False) == (3, 2)
    assert done == ["alas", 2, "alas", 1, 0]


def test_drain_until_ends_at_a_job_that_nobody_claims(backburner: Harness) -> None:
    add.options(queue="sums", run_at=60).delay(1)
    backburner.app.queues.pause("sums")
    assert backburner.drain(until=timedelta(minutes=2)) == (0, 0)
    assert done == []


def test_a_job_is_waited_for_once() -> None:
    clock = Clock()
    due = clock() + timedelta(hours=1)
    wait = Waiting(clock, due + timedelta(hours=1), clock.travel)
    assert wait(due) is True
    assert timedelta(0) <= clock() - due < timedelta(minutes=1)
    assert wait(due) is False  # it was due, and yet nobody could claim it
    assert clock() - due >= timedelta(hours=1)


def test_drain_until_ends_at_the_limit(backburner: Harness) -> None:
    add.options(run_at=60).delay(1)
    add.options(run_at=120).delay(2)
    assert backburner.drain(until=timedelta(days=1), limit=1) == (1, 0)
    assert backburner.drain() == (0, 0)


def test_drain_a_queue(backburner: Harness) -> None:
    add.options(queue="sums").delay(1)
    add.delay(2)
    assert backburner.drain(queue="sums") == (1, 0)
    assert done == [1]


def test_drain_performs_in_the_process_of_the_test(backburner: Harness) -> None:
    add.options(isolation="process").delay(1)
    assert backburner.drain() == (1, 0)
    assert done == [1]


def test_drain_leaves_no_worker_behind(backburner: Harness) -> None:
    fail.delay("alas")
    threads = threading.enumerate()
    with pytest.raises(ZeroDivisionError):
        backburner.drain()
    assert backburner.app.workers() == []
    assert threading.enumerate() == threads


def test_drain_interrupts_a_job_that_runs_for_too_long(backburner: Harness) -> None:
    endless.options(max_run_time=0.05).delay()
    with pytest.raises(JobTimeout, match=r"^ran longer than its max_run_time of 0.05 s$"):
        backburner.drain()


def test_drain_in_a_thread(backburner: Harness) -> None:
    slowly.delay(1)
    endless.options(max_run_time=0.05).delay()
    with ThreadPoolExecutor(max_workers=1) as pool:
        assert pool.submit(backburner.drain, raises=False).result(timeout=20) == (1, 1)
    assert done == [1]


def test_an_interrupt_by_the_user_ends_drain(backburner: Harness) -> None:
    job = interrupted.delay()
    add.delay(1)
    with pytest.raises(KeyboardInterrupt):
        backburner.drain(raises=False)
    assert done == []
    assert backburner.app.jobs.get(job.id).state == "queued"


def test_travel_goes_forward_only(backburner: Harness) -> None:
    with pytest.raises(
        ValueError, match=r"^expected a duration of zero or more, got -1: a clock of jobs never goes back"
    ):
        backburner.travel(-1)


def test_travel_without_a_clock() -> None:
    expected = (
        "expected an app with a clock for tests: clock = testing.Clock(), Backburner(url, clock=clock) "
        "and harness(app, clock=clock)"
    )
    with Backburner("memory://") as app:
        for clock in (None, Clock()):
            with harness(app, clock=clock) as under_test, pytest.raises(ConfigurationError) as raised:
                under_test.travel(60)
            assert str(raised.value) == expected


@pytest.fixture
def own_app(tmp_path: Path) -> Iterator[Backburner]:
    with Backburner(f"sqlite:///{tmp_path}/shop.db", mail="smtp://nowhere.invalid", allow=["tests.testing"]) as app:
        yield app


def test_an_app_and_a_store_of_ones_own(own_app: Backburner, tmp_path: Path) -> None:
    with harness(own_app) as under_test:
        assert under_test.app is own_app
        user = User(7, "Ann")
        ShopMailer.delay(queue="mail").hello(user)
        fail.delay("alas")
        under_test.assert_enqueued(ShopMailer.hello, user, queue="mail")
        with pytest.raises(ZeroDivisionError):
            under_test.drain()
        assert [mail.subject for mail in Mailer.deliveries] == ["Hello en"]
    assert Mailer.deliveries == []
    assert own_app.settings.mail == "smtp://nowhere.invalid"
    assert own_app.jobs.count() == 1


def test_jobs_that_are_not_committed_do_not_exist(own_app: Backburner, tmp_path: Path) -> None:
    own_app.migrate()
    connection = sqlite3.connect(tmp_path / "shop.db")
    with harness(own_app) as under_test:
        delay(User(7, "Ann"), connection=connection).activate("code")
        under_test.refute_enqueued(User)
        connection.rollback()
        under_test.refute_enqueued(User)
        delay(User(7, "Ann"), connection=connection).activate("code")
        connection.commit()
        under_test.assert_enqueued(User, count=1)
        assert under_test.drain() == (1, 0)
    connection.close()


def test_the_former_current_app_is_current_again(own_app: Backburner) -> None:
    from backburner.app import current, use

    with use(own_app):
        with Backburner("memory://") as other, harness(other):
            assert current() is other
        assert current() is own_app
        with pytest.raises(KeyError), harness(Backburner("memory://")):
            raise KeyError
        assert current() is own_app
