"""Hooks and settings of payloads."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple
from unittest.mock import Mock

import attrs
import msgspec
import pydantic
import pytest

from backburner.core.hooks import HOOKS, SETTINGS, has_hooks, hook, reschedule_at, setting
from backburner.core.marks import JobHooks
from backburner.core.payload import Call
from tests.core import shop

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Full:
    """Every hook, with as many arguments as there are."""

    queue = "mail"
    priority = 5
    keep_failed = False

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def perform(self) -> None: ...

    def enqueue(self, job: Any) -> str:
        self.seen.append(("enqueue", job))
        return "enqueued"

    def before(self) -> None:
        self.seen.append("before")

    def success(self, job: Any) -> None:
        self.seen.append(("success", job))

    def error(self, job: Any, exception: Exception) -> None:
        self.seen.append(("error", job, exception))

    @staticmethod
    def after(job: Any) -> str:
        return f"after {job}"

    @classmethod
    def failure(cls, *args: Any) -> Any:
        return cls, args

    def max_attempts(self) -> int:
        return 3

    @property
    def max_run_time(self) -> int:
        return 60

    def reschedule_at(self, now: datetime, attempts: int) -> Any:
        return now, attempts


def test_hooks_are_called_with_their_arguments() -> None:
    payload, error = Full(), ValueError()
    assert hook(payload, "enqueue", "job") == "enqueued"
    hook(payload, "before", "job")
    hook(payload, "success", "job")
    hook(payload, "error", "job", error)
    assert hook(payload, "after", "job") == "after job"
    assert hook(payload, "failure", "job") == (Full, ("job",))
    assert payload.seen == [("enqueue", "job"), "before", ("success", "job"), ("error", "job", error)]
    assert has_hooks(payload)


def logged(function: Callable[..., Any]) -> Any:
    @functools.wraps(function)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return inner


class Short:
    """Hooks that leave out trailing parameters, in every way that Python knows."""

    def error(self, job: Any) -> Any:
        return job

    def before(self, job: Any = None, *, loud: bool = False) -> Any:
        return job, loud

    @logged
    def after(self) -> str:
        return "after"

    @staticmethod
    def success() -> str:
        return "success"

    @classmethod
    @logged
    def failure(cls) -> type:
        return cls

    enqueue = functools.partialmethod(lambda self, first, job: (first, job), 1)

    def reschedule_at(self, now: datetime) -> datetime:
        return now


def test_a_hook_may_leave_out_trailing_parameters() -> None:
    payload = Short()
    assert hook(payload, "error", "job", ValueError()) == "job"
    assert hook(payload, "before", "job") == ("job", False)
    assert hook(payload, "after", "job") == "after"
    assert hook(payload, "success", "job") == "success"
    assert hook(payload, "failure", "job") is Short
    assert hook(payload, "enqueue", "job") == (1, "job")
    assert reschedule_at(payload, NOW, 3) == NOW


class Builtin:
    after = staticmethod(iter)


def test_a_hook_that_does_not_tell_its_signature_is_given_all() -> None:
    assert list(hook(Builtin(), "after", "job")) == ["j", "o", "b"]


def test_an_object_without_hooks_has_none() -> None:
    payload = shop.Hello("Hi")
    assert not has_hooks(payload)
    assert [hook(payload, name, "job") for name in HOOKS] == [None] * len(HOOKS)
    assert [setting(payload, name) for name in SETTINGS] == [None] * len(SETTINGS)
    assert reschedule_at(payload, NOW, 1) is None


def test_an_async_hook_gives_its_coroutine() -> None:
    class Async:
        async def before(self) -> str:
            return "before"

    assert asyncio.run(hook(Async(), "before", "job")) == "before"


def test_what_a_hook_raises_reaches_the_caller() -> None:
    class Failing:
        def before(self) -> None:
            raise ValueError("no")

        def error(self, job: Any, exception: Any) -> None:
            raise TypeError("a mistake in the hook")

    with pytest.raises(ValueError, match="no"):
        hook(Failing(), "before", "job")
    with pytest.raises(TypeError, match="a mistake in the hook"):
        hook(Failing(), "error", "job", ValueError())


def test_hooks_are_looked_up_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = shop.Hello("Hi")
    stand_in = Mock(return_value=None)
    monkeypatch.setattr(shop.Hello, "before", stand_in, raising=False)
    assert has_hooks(payload)
    hook(payload, "before", "job")
    stand_in.assert_called_once_with("job")
    monkeypatch.undo()
    assert not has_hooks(payload)


def test_hooks_are_those_of_the_class() -> None:
    payload = shop.Hello("Hi")
    payload.before = lambda job: "called"  # type: ignore[attr-defined]  # an attribute of the instance
    payload.queue = "mail"  # type: ignore[attr-defined]  # another one
    assert not has_hooks(payload)
    assert hook(payload, "before", "job") is None
    assert setting(payload, "queue") is None


def test_settings_are_attributes_properties_or_methods() -> None:
    payload = Full()
    names = ("queue", "priority", "keep_failed", "max_attempts", "max_run_time", "display_name")
    assert [setting(payload, name) for name in names] == ["mail", 5, False, 3, 60, None]
    assert reschedule_at(payload, NOW, 2) == (NOW, 2)


def test_settings_may_be_of_the_class() -> None:
    class Settings:
        @classmethod
        def queue(cls) -> str:
            return cls.__name__

        @staticmethod
        def priority() -> int:
            return 1

    assert (setting(Settings(), "queue"), setting(Settings(), "priority")) == ("Settings", 1)


@dataclass
class AsDataclass:
    queue: str
    error: str = "data"
    priority: ClassVar[int] = 7


@dataclass(slots=True)
class AsSlots:
    queue: str = "data"
    error: Any = None
    priority = 7


@attrs.define
class AsAttrs:
    queue: str = "data"
    error: str = "data"
    priority: ClassVar[int] = 7


class AsStruct(msgspec.Struct):
    queue: str = "data"
    error: str = "data"
    priority: ClassVar[int] = 7


class AsModel(pydantic.BaseModel):
    queue: str = "data"
    error: Any = print
    priority: ClassVar[int] = 7


class AsTuple(NamedTuple):
    queue: str = "data"
    error: Any = print


class AsPlainSlots:
    __slots__ = ("error", "queue")


@pytest.mark.parametrize(
    "payload", [AsDataclass("data"), AsSlots(), AsAttrs(), AsStruct(), AsModel(), AsTuple(), AsPlainSlots()]
)
def test_a_declared_field_is_data(payload: Any) -> None:
    assert setting(payload, "queue") is None
    assert hook(payload, "error", "job", ValueError()) is None
    assert not has_hooks(payload)
    if not isinstance(payload, (AsTuple, AsPlainSlots)):
        assert setting(payload, "priority") == 7


class NotHooks:
    """Attributes with the names of hooks that cannot be called as methods."""

    before = "before"
    error = None

    class after(Exception):  # noqa: N801 - the name of a hook
        pass

    @property
    def success(self) -> Any:
        raise AssertionError("looked at")


def test_what_is_no_method_is_no_hook() -> None:
    payload = NotHooks()
    assert [hook(payload, name, "job") for name in HOOKS] == [None] * len(HOOKS)
    assert not has_hooks(payload)


class Model:
    """Not written for jobs: its methods only happen to have these names."""

    queue = "of people"

    def work(self) -> None: ...

    def error(self, job: Any, exception: Any) -> None:
        raise AssertionError("taken for a hook")


class Hooked(JobHooks):
    queue = "imports"

    def work(self) -> None: ...

    def error(self, job: Any) -> str:
        return f"error in {job}"

    @classmethod
    def after(cls, job: Any) -> str:
        return f"after {job} in {cls.__name__}"


def test_the_target_of_a_call_has_hooks_only_if_its_class_says_so() -> None:
    call = Call(Model(), "work")
    assert not has_hooks(call)
    assert hook(call, "error", "job", ValueError()) is None
    assert setting(call, "queue") is None
    for target in (shop.greet, shop, Model, shop.Tool()):
        assert not has_hooks(Call(target, "work"))


def test_the_target_of_a_call_may_have_hooks() -> None:
    call = Call(Hooked(), "work")
    assert has_hooks(call)
    assert hook(call, "error", "job", ValueError()) == "error in job"
    assert hook(call, "after", "job") == "after job in Hooked"
    assert setting(call, "queue") == "imports"


def test_a_class_as_the_target_has_the_hooks_that_need_no_instance() -> None:
    call = Call(Hooked, "work")
    assert has_hooks(call)
    assert hook(call, "after", "job") == "after job in Hooked"
    assert hook(call, "error", "job", ValueError()) is None
    assert setting(call, "queue") == "imports"
