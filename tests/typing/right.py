"""A program in which every form is used rightly; type checkers find nothing, and it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, assert_type

from backburner import (
    Backburner,
    Delayable,
    Fail,
    Job,
    JobHooks,
    Progress,
    Retry,
    Snooze,
    State,
    abulk,
    adelay,
    aenqueue,
    aenqueue_all,
    bulk,
    configure,
    current,
    current_job,
    delay,
    enqueue,
    enqueue_all,
    handle_asynchronously,
    job,
    jobs,
)
from backburner.mail import Mailer, Message
from backburner.testing import Harness, fake, harness, inline, within


@dataclass
class User(Delayable):
    name: str

    def activate(self, code: str, *, notify: bool = False) -> int:
        return len(code)

    async def aactivate(self, code: str) -> float:
        return 0.5

    @classmethod
    def import_all(cls, path: str) -> int:
        return 1


@dataclass
class Device(Delayable):
    urgency: int

    @handle_asynchronously(queue="devices", priority=lambda device: device.urgency, run_at=lambda: timedelta(0))
    def deliver(self, parcel: str, *, fragile: bool = False) -> int:
        return len(parcel)

    @handle_asynchronously
    async def locate(self) -> bytes:
        return b"here"

    @handle_asynchronously(tags=["import"])
    @classmethod
    def import_all(cls, path: str) -> int:
        return 1

    @handle_asynchronously
    @staticmethod
    def ping(host: str) -> str:
        return host


@dataclass
class HelloEmailJob:
    user: User

    def perform(self) -> None:
        pass


@dataclass
class Report(JobHooks):
    year: int
    queue = "reports"

    @property
    def priority(self) -> int:
        return 3 if self.year > 2000 else 9

    def max_run_time(self) -> timedelta:
        return timedelta(minutes=5)

    def enqueue(self, job: Job[None]) -> None:
        job.priority = 3
        job.tags = (*job.tags, "report")

    def before(self, job: Job[None]) -> None:
        assert_type(job.state, State)

    def perform(self) -> None:
        running = current_job()
        assert_type(running, Job[Any])
        for month in running.steps(range(12), name="months"):
            assert_type(month, int)
            running.report_progress(month, 12, note="months")
        assert_type(running.progress, Progress | None)

    def error(self, job: Job[None], exception: BaseException) -> None:
        assert_type(job.last_error, str | None)

    def success(self) -> None:
        pass

    def reschedule_at(self, now: datetime, attempts: int) -> datetime:
        return now + timedelta(minutes=attempts)


class Welcome(Mailer):
    sender = "Shop <shop@example.com>"

    @classmethod
    def hello(cls, user: User, *, lang: str = "en") -> Message:
        return Message(to="ann@example.com", subject=f"Welcome, {user.name}")


@job
def steered(how: str) -> None:
    if how == "again":
        raise Retry(timedelta(minutes=1))
    if how == "later":
        raise Snooze(60)
    raise Fail("no such way")


@job(queue="mail", max_attempts=5)
def send_welcome(user_id: int, *, lang: str = "en") -> None:
    pass


@job
def add(a: int, b: int) -> int:
    return a + b


@job(priority=lambda: 3)
async def fetch(url: str) -> bytes:
    return url.encode()


@job
async def ping() -> str:
    return "pong"


def delayed_objects(user: User) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert_type(delay(user), User)
    delay(user).activate("code", notify=True)
    delay(user, priority=5, run_at=tomorrow, queue="mail").activate("code")
    delay(user, run_at=60, max_attempts=1, max_run_time=timedelta(seconds=5), keep_failed=False).activate("code")
    delay(user, missing_record="discard", tags=["a"], connection=None).activate("code")
    delay(user.activate, priority=5)("code")
    delay(User).import_all("users.csv")
    delay(User.import_all)("users.csv")


def mixin(user: User) -> None:
    assert_type(user.delay, User)
    assert_type(user.delay(priority=5, queue="mail"), User)
    user.delay.activate("code", notify=True)
    user.delay(priority=5, queue="mail").activate("code")
    User.delay.import_all("users.csv")
    User.delay(run_at=timedelta(minutes=1)).import_all("users.csv")


def functions() -> None:
    send_welcome(1)
    assert_type(send_welcome.delay(1, lang="de"), Job[None])
    assert_type(send_welcome.options(priority=10, run_at=timedelta(minutes=5)).delay(1), Job[None])
    assert_type(add(1, 2), int)
    assert_type(add.delay(1, b=2), Job[int])
    assert_type(add.delay(1, 2).result, int | None)
    assert_type(fetch.delay("http://example.com"), Job[bytes])
    assert_type(fetch.options(queue="slow").options(priority=1).delay("http://example.com"), Job[bytes])
    assert_type(ping.delay(), Job[str])
    delay(send_welcome, priority=1)(1, lang="de")


def methods(device: Device) -> None:
    assert_type(device.deliver("book", fragile=True), Job[int])
    assert_type(device.deliver.now("book"), int)
    assert_type(device.locate(), Job[bytes])
    assert_type(device.locate.now(), Coroutine[Any, Any, bytes]).close()
    assert_type(Device.import_all("devices.csv"), Job[int])
    assert_type(Device.import_all.now("devices.csv"), int)
    assert_type(Device.ping("localhost"), Job[str])


def job_objects(user: User) -> None:
    assert_type(enqueue(HelloEmailJob(user), priority=5, queue="mail"), Job[Any])
    assert_type(enqueue_all([HelloEmailJob(user)], queue="mail"), list[Job[Any]])
    assert_type(enqueue(Report(2026)), Job[Any])
    with bulk():
        user.delay.activate("code")


def mailers(user: User) -> None:
    Welcome.delay.hello(user, lang="de")
    Welcome.delay(queue="mail").hello(user)
    assert_type(Welcome.hello(user), Message)
    assert_type(Welcome.hello(user).deliver_later(queue="mail"), Job[None])


async def async_twins(user: User) -> None:
    await adelay(user, priority=5).activate("code")
    await adelay(user.activate)("code")
    await user.adelay(queue="mail").activate("code")
    await User.adelay.import_all("users.csv")
    assert_type(await send_welcome.adelay(1), Job[None])
    assert_type(await fetch("http://example.com"), bytes)
    assert_type(await fetch.adelay("http://example.com"), Job[bytes])
    assert_type(await fetch.options(priority=1).adelay("http://example.com"), Job[bytes])
    assert_type(await aenqueue(HelloEmailJob(user)), Job[Any])
    assert_type(await aenqueue_all([HelloEmailJob(user)]), list[Job[Any]])
    await Welcome.hello(user).adeliver_later()
    async with abulk():
        user.delay.activate("code")
    assert_type(await jobs.acount(queue="mail"), int)


def looking() -> None:
    assert_type(jobs.count(state="failed"), int)
    assert_type(jobs.last(name="User.activate"), Job[Any] | None)
    for found in jobs.where(priority=5):
        assert_type(found, Job[Any])


def apps(app: Backburner, user: User) -> None:
    assert_type(current(), Backburner)
    assert_type(app.delay(user), User)
    assert_type(app.enqueue(HelloEmailJob(user)), Job[Any])
    app.delay_jobs = lambda job: job.queue != "inline"
    app.delay_jobs = True

    @app.before("enqueue")
    def tag(job: Job) -> None:
        job.tags = (*job.tags, "seen")

    @app.around("invoke")
    def around(job: Job) -> Iterator[None]:
        yield

    @app.job(queue="own")
    def own(number: int) -> int:
        return number

    assert_type(own(1), int)
    assert_type(app.worker(["reports"]).work_off(limit=1), tuple[int, int])


def tests(app: Backburner, user: User) -> None:
    with harness(app) as backburner:
        assert_type(backburner, Harness)
        send_welcome.options(run_at=60).delay(77)
        found = backburner.assert_enqueued(send_welcome, 77, run_at=within(timedelta(minutes=2)), count=1)
        assert_type(found, Job[Any])
        backburner.refute_enqueued(user.activate, queue="reports")
        assert_type(backburner.drain(limit=1, raises=False, queue="mail"), tuple[int, int])
        assert_type(backburner.events.of(found), list[str])
    with inline(app), fake(app) as enqueued:
        add.delay(1, 2)
        assert_type(enqueued[0], Job[Any])


def main() -> None:
    with configure("memory://", allow=[__name__, "right"]) as app:
        user, device = User("Ann"), Device(3)
        delayed_objects(user)
        mixin(user)
        functions()
        methods(device)
        job_objects(user)
        asyncio.run(async_twins(user))
        mailers(user)
        looking()
        apps(app, user)
        tests(app, user)


if __name__ == "__main__":
    main()
