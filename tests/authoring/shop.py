"""The application of these tests: what it does is noted in `DONE`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, wraps
from typing import Any, ClassVar

from backburner import Delayable, Job, JobHooks, handle_asynchronously, job

DONE: list[Any] = []
TABLE: dict[int, User] = {}


class User(Delayable):
    """A record, found again by its key."""

    def __init__(self, key: int | None, name: str, email: str = "", password: str = "") -> None:
        self.key = key
        self.name = name
        self.email = email
        self.password = password
        if key is not None:
            TABLE[key] = self

    def __job_key__(self) -> int | None:
        return self.key

    @classmethod
    def __job_load__(cls, key: int) -> User | None:
        return TABLE.get(key)

    def activate(self, code: str, notify: bool = False) -> str:
        DONE.append(("activate", self.name, code, notify))
        return code.upper()

    async def aactivate(self, code: str) -> str:
        DONE.append(("aactivate", self.name, code))
        return code.upper()

    def explode(self) -> None:
        raise ValueError("boom")

    def stream(self) -> Iterator[int]:
        yield 1

    def _private(self) -> None:
        DONE.append(("private", self.name))

    @classmethod
    def import_all(cls, path: str) -> None:
        DONE.append(("import_all", cls.__name__, path))

    @staticmethod
    def vacuum(table: str) -> None:
        DONE.append(("vacuum", table))

    @property
    def full_name(self) -> str:
        raise AssertionError("properties must not run")

    @cached_property
    def initials(self) -> str:
        raise AssertionError("properties must not run")

    kind = "customer"


class Admin(User):
    """A record of another class."""


@dataclass
class Note:
    """A value without a mixin, allowed by its module."""

    text: str

    def print(self, copies: int = 1) -> None:
        DONE.append(("print", self.text, copies))


class Device(Delayable):
    """A value with background methods."""

    def __init__(self, name: str, urgency: int = 0) -> None:
        self.name = name
        self.urgency = urgency

    @handle_asynchronously(
        queue="devices", priority=lambda device: device.urgency, run_at=lambda: timedelta(minutes=5), tags=["device"]
    )
    def deliver(self, parcel: str, *, fragile: bool = False) -> str:
        """Carry a parcel."""
        DONE.append(("deliver", self.name, parcel, fragile))
        return f"{parcel} delivered"

    @handle_asynchronously
    async def locate(self) -> str:
        DONE.append(("locate", self.name))
        return "here"

    @handle_asynchronously
    def bare(self) -> None:
        DONE.append(("bare", self.name))

    @handle_asynchronously(queue="inner")
    @classmethod
    def above(cls, path: str) -> str:
        DONE.append(("above", cls.__name__, path))
        return path

    @classmethod
    @handle_asynchronously(queue="inner")
    def below(cls, path: str) -> str:
        DONE.append(("below", cls.__name__, path))
        return path

    @handle_asynchronously(queue="inner")
    @staticmethod
    def static_above(path: str) -> str:
        DONE.append(("static_above", path))
        return path

    @staticmethod
    @handle_asynchronously(queue="inner")
    def static_below(path: str) -> str:
        DONE.append(("static_below", path))
        return path

    def plain(self) -> None:
        DONE.append(("plain", self.name))

    later = handle_asynchronously(plain)


class Drone(Device):
    """Overrides a background method with an ordinary one."""

    def bare(self) -> Any:
        return super().bare()


def logged(function: Any) -> Any:
    """A decorator as any application has one."""

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        DONE.append(("called", function.__name__))
        return function(*args, **kwargs)

    return wrapper


class Robot(Delayable):
    """Has decorators on both sides."""

    @logged
    @handle_asynchronously(queue="outer")
    def wave(self) -> None:
        DONE.append(("wave",))

    @handle_asynchronously
    @logged
    def nod(self) -> None:
        DONE.append(("nod",))


@job(queue="mail", max_attempts=5)
def send_welcome(user_id: int, *, lang: str = "en") -> str:
    """Send a welcome."""
    DONE.append(("send_welcome", user_id, lang))
    return f"{user_id} {lang}"


@job
async def fetch(url: str) -> bytes:
    DONE.append(("fetch", url))
    return url.encode()


@job(priority=lambda: len(DONE), run_at=lambda: timedelta(hours=1))
def asked() -> None:
    """Has options that are asked at each call."""


def plain(number: int) -> None:
    DONE.append(("plain", number))


@dataclass
class Hello:
    """A job object without anything but `perform`."""

    user: User

    def perform(self) -> str:
        DONE.append(("hello", self.user.name))
        return "sent"


@dataclass
class Said:
    """A job object whose class answers for its options."""

    size: int = 1

    queue = "said"
    max_attempts = 3
    keep_failed = False
    max_run_time = 60

    def priority(self) -> int:
        return self.size

    def perform(self) -> None:
        pass


@dataclass
class Declared:
    """Its fields have the names of options, and are data."""

    queue: str = "data"
    priority: int = 99

    def perform(self) -> None:
        pass


@dataclass
class Changing:
    """Changes its draft."""

    changes: dict[str, Any] = field(default_factory=dict)
    seen: ClassVar[list[Job]] = []

    def enqueue(self, job: Job) -> None:
        self.seen.append(job)
        for name, value in self.changes.items():
            setattr(job, name, value)

    def perform(self) -> None:
        pass


class Refusing:
    """Cannot be enqueued, for a reason of its own."""

    def enqueue(self) -> None:
        raise LookupError("not today")

    def perform(self) -> None:
        pass


class AsyncHook:
    """Has an async hook."""

    async def enqueue(self, job: Job) -> None:
        job.priority = 42

    def perform(self) -> None:
        pass


class Order(User, JobHooks):
    """A record with hooks and settings, which count for its delayed methods."""

    queue = "orders"

    def enqueue(self, job: Job) -> None:
        job.tags = ("hooked",)


class Accident(User):
    """A record that happens to have methods called like hooks and settings."""

    queue = "accident"

    def enqueue(self, job: Job) -> None:
        raise AssertionError("not a hook")

    def error(self) -> None:
        raise AssertionError("not a hook")


@dataclass
class Traced:
    """Notes its hooks."""

    fails: bool = False

    def enqueue(self, job: Job) -> None:
        DONE.append(("enqueue", job.state))

    def before(self, job: Job) -> None:
        DONE.append(("before", job.state))

    def perform(self) -> str:
        DONE.append(("perform",))
        if self.fails:
            raise ValueError("boom")
        return "result"

    def success(self) -> None:
        DONE.append(("success",))

    def error(self, job: Job, exception: BaseException) -> None:
        DONE.append(("error", str(exception)))

    def after(self) -> None:
        DONE.append(("after",))

    def failure(self) -> None:
        DONE.append(("failure",))


@job
def odd(self: int, given: int = 0, target: int = 0) -> int:
    """Has parameters called like our own."""
    return self + given + target
