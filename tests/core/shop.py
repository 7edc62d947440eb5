"""A small application whose code the jobs of these tests name."""

from __future__ import annotations

import functools
import os
import pickle
import subprocess
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, InitVar, dataclass, field
from enum import Enum, Flag, IntEnum, IntFlag, StrEnum, auto
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import attrs
import msgspec
import pydantic

from backburner.core.marks import JobHooks, Runnable

run_program = subprocess.run  # as `from subprocess import run` would have it

calls: list[Any] = []
"""What the functions here were called with; each test begins with an empty list."""


def greet(name: str, greeting: str = "Hello", *, loud: bool = False) -> str:
    text = f"{greeting} {name}"
    return text.upper() if loud else text


def _tidy_up() -> str:
    return "tidy"


async def fetch(url: str) -> str:
    return f"content of {url}"


def everything(*args: Any, **kwargs: Any) -> tuple[Any, ...]:
    return args, kwargs


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def inner(*args: Any, **kwargs: Any) -> Any:
        calls.append(function.__name__)
        return function(*args, **kwargs)

    return inner


def careless(function: Callable[..., Any]) -> Callable[..., Any]:
    def inner(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return inner


@logged
def charge(amount: int) -> int:
    return amount


@functools.lru_cache
def area(width: int, height: int) -> int:
    return width * height


shout = lambda text: text.upper()  # noqa: E731 - a lambda with a name is what is tested
load_anything = pickle.loads
double = functools.partial(area, 2)


class Wrapper:
    """What `@job` and `@handle_asynchronously` make: to call it is not to perform it."""

    __backburner_job__ = True

    def __init__(self, function: Any) -> None:
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("enqueued again")

    def __get__(self, instance: object, owner: type) -> Any:
        return self if instance is None else functools.partial(self, instance)


@Wrapper
def welcome(user_id: int, *, lang: str = "en") -> str:
    return f"{user_id} {lang}"


class Colour(Enum):
    RED = "red"
    GREEN = "green"
    ROUGE = "red"  # noqa: PIE796 - an alias

    def mix(self) -> str:
        return f"mixed {self.value}"


class Size(IntEnum):
    SMALL = 1


class Mood(StrEnum):
    GOOD = auto()


class Right(Flag):
    READ = 1
    WRITE = 2
    BOTH = 3
    ADMIN = 4


class Bits(IntFlag):
    A = 1
    B = 2


class Point(NamedTuple):
    x: int
    y: int = 0


@dataclass
class Item:
    name: str
    price: Any = 0
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Address:
    street: str
    city: str = "Berlin"


@dataclass(frozen=True, slots=True)
class Coordinates:
    lat: float
    lon: float


@dataclass(slots=True)
class Parcel:
    weight: int
    _secret_note: str = ""
    label: str = field(init=False)
    _: KW_ONLY
    fragile: bool = False
    scale: InitVar[int] = 1
    kind: ClassVar[str] = "parcel"

    def __post_init__(self, scale: int) -> None:
        calls.append("Parcel.__post_init__")
        self.weight *= scale
        self.label = f"{self.weight} kg"


@dataclass
class Report:
    """A dataclass that keeps more than its fields."""

    year: int

    def __post_init__(self) -> None:
        calls.append("Report.__post_init__")
        self.title = f"Report of {self.year}"

    @cached_property
    def lock(self) -> Any:
        return threading.Lock()


@attrs.define
class Box:
    width: int
    _depth: int = 1
    items: list[str] = attrs.field(factory=list)
    volume: int = attrs.field(default=attrs.Factory(lambda box: box.width * box._depth, takes_self=True))

    def __attrs_post_init__(self) -> None:
        calls.append("Box.__attrs_post_init__")


@attrs.frozen(cache_hash=True)
class Stamp:
    text: str


@attrs.define(slots=False)
class Crate:
    size: int = attrs.field(validator=attrs.validators.gt(0))


class Packet(msgspec.Struct):
    size: int
    note: str = ""


class Sealed(msgspec.Struct, frozen=True, tag="sealed", kw_only=True):
    size: int
    items: list[int] = []

    def __post_init__(self) -> None:
        calls.append("Sealed.__post_init__")


class Bag(msgspec.Struct, dict=True):
    size: int


class Pair(Point):
    """A named tuple with room for more."""

    more: int


class Order(pydantic.BaseModel):
    number: int
    note: str | None = None
    lines: list[int] = pydantic.Field(default_factory=list)
    _seen: int = pydantic.PrivateAttr(default=0)


class Loose(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow", frozen=True)

    number: int


class Cart:
    """A plain class."""

    currency = "EUR"

    def __init__(self, owner: str, items: list[Any]) -> None:
        calls.append("Cart.__init__")
        self.owner = owner
        self._items = items

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cart) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # as Python itself writes it

    @property
    def total(self) -> int:
        calls.append("Cart.total")
        return len(self._items)

    @cached_property
    def lock(self) -> Any:
        return threading.Lock()

    def check_out(self, code: str = "") -> tuple[str, str]:
        return self.owner, code

    def _recount(self) -> int:
        return len(self._items)


class Slotted:
    __slots__ = ("__private", "a", "b")

    def __init__(self, a: Any) -> None:
        self.a = a
        self.__private = a

    def private(self) -> Any:
        return self.__private


class SlottedMore(Slotted):
    __slots__ = ("c",)


class Guarded:
    """Holds more than data: it acts when it is collected."""

    path = ""

    def __del__(self) -> None:
        calls.append(f"removed {self.path}")


class Worker(threading.Thread):
    """A class of ours whose base is not."""

    run_program = subprocess.run
    spawn = staticmethod(subprocess.Popen)
    system = os.system
    loads = pickle.loads
    program = subprocess.Popen
    twice = functools.partialmethod(lambda self, number: number * 2, 4)

    def ours(self) -> str:
        return "ours"

    @careless
    def wrapped(self) -> str:
        return "wrapped"


class Form(pydantic.BaseModel):
    """Has classmethods of pydantic's, one of which reads pickles."""

    text: str = ""

    @classmethod
    def ours(cls) -> str:
        return cls.__name__


class Descriptors:
    """Tells when somebody looks."""

    def __get__(self, instance: object, owner: type) -> Any:
        calls.append("looked at")
        return lambda: "called"


class Tempting:
    descriptor = Descriptors()

    @property
    def prop(self) -> Any:
        calls.append("looked at")
        return lambda: "called"

    def __getattr__(self, name: str) -> Any:
        calls.append(f"asked for {name}")
        return lambda: "called"


class Hello:
    """A job object of a plain class."""

    def __init__(self, subject: str) -> None:
        self.subject = subject

    def perform(self) -> str:
        return f"sent {self.subject}"


@dataclass
class Mailing:
    """A job object with a receiver."""

    user: Any
    copies: list[Any] = field(default_factory=list)

    def perform(self) -> Any:
        return self.user


class Tool(Runnable):
    def use(self, times: int = 1) -> str:
        return f"used {times}"

    @staticmethod
    def sharpen() -> str:
        return "sharp"

    @classmethod
    def make(cls) -> str:
        return cls.__name__


class Import(JobHooks):
    def run(self) -> str:
        return "imported"

    def before(self) -> None:
        calls.append("before")


class Device:
    """A class of which one method may be called by jobs."""

    def __init__(self, number: int) -> None:
        self.number = number

    @Wrapper
    def deliver(self, times: int = 1) -> tuple[int, int]:
        return self.number, times

    @classmethod
    @Wrapper
    def reset(cls) -> str:
        return f"reset {cls.__name__}"

    @Wrapper
    @classmethod
    def renew(cls) -> str:
        return f"renewed {cls.__name__}"

    def explode(self) -> None:
        raise AssertionError("may not be called")


class Mail(Runnable):
    @classmethod
    def hello(cls, name: str) -> str:
        return f"hello {name}"

    @classmethod
    async def later(cls, name: str) -> str:
        return f"later {name}"

    @classmethod
    def __job_result__(cls, result: str) -> str:
        return f"delivered {result}"


class Abstract(ABC):
    """Its class is no plain `type`."""

    @abstractmethod
    def work(self) -> None: ...


class Outer:
    class Inner:
        def work(self) -> str:
            return "inner"

    class Error(Exception):
        pass


def made_by_generator() -> Iterator[int]:
    yield 1
