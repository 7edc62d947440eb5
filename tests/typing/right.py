"""A program in which every form is used rightly; type checkers find nothing, and it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, assert_type

from backburner import (
    Backburner,
    Delayable,
    Job,
    abulk,
    adelay,
    aenqueue,
    aenqueue_all,
    bulk,
    configure,
    current,
    delay,
    enqueue,
    enqueue_all,
    handle_asynchronously,
    job,
    jobs,
)


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
    with bulk():
        user.delay.activate("code")


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

    @app.job(queue="own")
    def own(number: int) -> int:
        return number

    assert_type(own(1), int)


def main() -> None:
    with configure("memory://", allow=[__name__, "right"]) as app:
        user, device = User("Ann"), Device(3)
        delayed_objects(user)
        mixin(user)
        functions()
        methods(device)
        job_objects(user)
        asyncio.run(async_twins(user))
        looking()
        apps(app, user)


if __name__ == "__main__":
    main()
