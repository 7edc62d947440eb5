"""An application whose jobs are tested."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass, field
from typing import Any, ClassVar

from backburner import Delayable, JobHooks, Retry, Snooze, current, current_job, handle_asynchronously, job
from backburner.mail import Mailer, Message

done: list[Any] = []
"""What the jobs did."""


class User(Delayable):
    """A record of a table that is a dictionary; each load gives another object."""

    table: ClassVar[dict[int, str]] = {}

    def __init__(self, key: int | None, name: str, password: str = "hunter2") -> None:  # noqa: S107  # a secret to hide
        self.key = key
        self.name = name
        self.password = password
        if key is not None:
            self.table[key] = name

    def __job_key__(self) -> int | None:
        return self.key

    @classmethod
    def __job_load__(cls, key: int) -> User | None:
        return cls(key, cls.table[key]) if key in cls.table else None

    def activate(self, code: str, *, notify: bool = False) -> None:
        done.append((self.name, code, notify))

    @handle_asynchronously(queue="users")
    def rename(self, name: str) -> None:
        done.append((self.name, name))

    @classmethod
    def import_all(cls, path: str) -> None:
        done.append(path)

    @staticmethod
    def purge(days: int = 30) -> None:
        done.append(days)


class ShopMailer(Mailer):
    sender = "shop@example.com"

    @classmethod
    def hello(cls, user: User, lang: str = "en") -> Message:
        return Message(to=f"{user.name.lower()}@example.com", subject=f"Hello {lang}")

    @classmethod
    def bye(cls, user: User) -> Message:
        return Message(to=f"{user.name.lower()}@example.com", subject="Bye")


@dataclass
class HelloEmailJob:
    user: User
    tags: list[str] = field(default_factory=list)

    def perform(self) -> None:
        ShopMailer.hello(self.user).deliver()


class Plain:
    """A job object without declared fields."""

    queue = "plain"

    def __init__(self, number: int) -> None:
        self.number = number

    def perform(self) -> None:
        done.append(self.number)


@job
def add(number: int, *more: int, factor: int = 1, **named: int) -> None:
    done.append(number * factor)


def plain_function(number: Any) -> None:
    done.append(number)


@job
async def slowly(number: int) -> None:
    done.append(number)


@job
def chain(numbers: list[int]) -> None:
    done.append(numbers[0])
    if numbers[1:]:
        chain.delay(numbers[1:])


@job
def for_ever() -> None:
    for_ever.delay()


@job(max_attempts=2)
def fail(text: str) -> None:
    done.append(text)
    raise ZeroDivisionError(text)


@job
def snooze() -> None:
    raise Snooze(60)


@job
def retry() -> None:
    raise Retry(60)


@job
def note_id() -> None:
    done.append(current_job().id)


@job
def note_time(hours: int) -> None:
    done.append((hours, current().store.now()))


@job
def later(times: int) -> None:
    done.append(times)
    if times:
        later.options(run_at=60).delay(times - 1)


@job
def endless() -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        pass


@job
def interrupted() -> None:
    signal.raise_signal(signal.SIGINT)


@job
async def note_loop() -> None:
    done.append(asyncio.get_running_loop())


@job(max_attempts=1)
async def fail_slowly() -> None:
    await asyncio.sleep(0)
    raise ZeroDivisionError


@job
async def wait_for_ever() -> None:
    await asyncio.Event().wait()


@job
def report(total: int) -> None:
    current_job().report_progress(total, total)


class Troubled(JobHooks):
    """A job object whose hook fails too."""

    max_attempts = 1

    def perform(self) -> None:
        raise ZeroDivisionError

    def failure(self) -> None:
        raise KeyError("in failure")
