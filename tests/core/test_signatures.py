"""Checks of calls and job objects at the enqueueing line."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backburner.core.errors import EnqueueError, UnknownMethod, WrongArguments
from backburner.core.signatures import check_call, check_job_object, signature_of
from tests.core import models, shop


@pytest.mark.parametrize(
    ("target", "method", "args", "kwargs"),
    [
        (shop.greet, None, ("Ann",), {}),
        (shop.greet, None, ("Ann", "Hi"), {"loud": True}),
        (shop.greet, None, (), {"name": "Ann"}),
        (shop.everything, None, (1, 2, 3), {"a": 1}),
        (shop.charge, None, (5,), {}),
        (shop.area, None, (1,), {"height": 2}),
        (shop.welcome, None, (1,), {"lang": "de"}),
        (shop.fetch, None, ("url",), {}),
        (models.User(1), "activate", ("code",), {}),
        (models.User, "activate", (models.User(1), "code"), {}),
        (shop.Tool(), "use", (), {}),
        (shop.Tool(), "use", (2,), {}),
        (shop.Tool, "make", (), {}),
        (shop.Tool, "sharpen", (), {}),
        (shop.Device(1), "deliver", (2,), {}),
        (shop.Device(1), "reset", (), {}),
        (shop.Device, "renew", (), {}),
        (shop, "greet", ("Ann",), {}),
        (shop.Worker(), "twice", (), {}),
        (len, None, ([],), {}),
        (dict, "fromkeys", ([],), {}),
        ([], "append", (1,), {}),
    ],
)
def test_a_call_that_fits_is_accepted(target: Any, method: str | None, args: Any, kwargs: Any) -> None:
    check_call(target, method, args, kwargs)


@pytest.mark.parametrize(
    ("target", "method", "args", "kwargs", "message"),
    [
        (
            shop.greet,
            None,
            (),
            {},
            r"greet\(name: .*, greeting: .* = 'Hello', \*, loud: .*: missing a required argument",
        ),
        (shop.greet, None, (1, 2, 3), {}, "too many positional arguments"),
        (shop.greet, None, ("Ann",), {"lod": True}, "unexpected keyword argument 'lod'"),
        (shop.greet, None, ("Ann",), {"name": "Bob"}, "multiple values for argument 'name'"),
        (
            shop.charge,
            None,
            (),
            {},
            r"charge\(amount: .*: missing a required argument: 'amount'. If a decorator supplies",
        ),
        (shop.area, None, (1,), {}, r"area\(width: "),
        (shop.welcome, None, (1, "de"), {}, r"welcome\(user_id: .*: too many positional arguments"),
        (models.User(1), "activate", (), {}, r"User.activate\(code: .*: missing a required argument: 'code'"),
        (models.User, "activate", (models.User(1),), {}, r"User.activate\(self, code: .*: missing a required argument"),
        (shop.Tool, "make", (1,), {}, r"Tool.make\(\).*: too many positional arguments"),
        (shop.Tool(), "sharpen", (1,), {}, "too many positional arguments"),
        (shop.Device(1), "deliver", (1, 2), {}, r"Device.deliver\(times: .*: too many positional arguments"),
        (shop, "greet", (), {}, r"tests.core.shop.greet\(name: "),
        (len, None, (), {}, "missing a required argument"),
    ],
)
def test_a_call_that_does_not_fit_is_refused_with_the_signature(
    target: Any, method: str | None, args: Any, kwargs: Any, message: str
) -> None:
    with pytest.raises(WrongArguments, match=message):
        check_call(target, method, args, kwargs)


@pytest.mark.parametrize(
    ("target", "method", "message"),
    [
        (models.User(1), "activat", "User has no method activat; did you mean activate?"),
        (models.User, "actvate", "User has no method actvate; did you mean activate?"),
        (shop, "great", "tests.core.shop has no method great; did you mean greet?"),
        (shop.Cart("ann", []), "zzz", "Cart has no method zzz$"),
        (shop.Cart("ann", []), "total", "Cart.total is not a method but a property"),
        (shop.Cart("ann", []), "currency", "Cart.currency is not a method but a str"),
        (shop.Cart("ann", []), "owner", "Cart has no method owner"),
        (shop.Cart("ann", []), "lock", "Cart.lock is not a method but a cached_property"),
        (shop.Outer, "Inner", "Outer.Inner is not a method but the class Outer.Inner"),
        (shop, "Cart", "tests.core.shop.Cart is not a method but the class Cart"),
        (shop.Tempting(), "anything", "Tempting has no method anything"),
        (shop.Tempting(), "prop", "Tempting.prop is not a method but a property"),
        (shop.Cart, "mro", "Cart has no method mro"),
    ],
)
def test_a_wrong_method_is_refused_with_the_nearest_one(target: Any, method: str, message: str) -> None:
    with pytest.raises(UnknownMethod, match=message):
        check_call(target, method, (), {})
    assert "Tempting" not in message or shop.calls == [], "nothing was looked at"


def supplied(function: Any) -> Any:
    @functools.wraps(function)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return function("supplied", *args, **kwargs)

    inner.__signature__ = inspect.Signature()  # type: ignore[attr-defined]  # what inspect looks for
    return inner


def test_a_decorator_may_state_the_signature() -> None:
    check_call(supplied(shop.charge), None, (), {})
    with pytest.raises(WrongArguments):
        check_call(supplied(shop.charge), None, (1,), {})


def test_a_mock_takes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.User, "activate", Mock())
    check_call(models.User(1), "activate", (1, 2, 3), {"x": 4})


class Unhashable:
    __hash__ = None  # type: ignore[assignment]  # as Python itself writes it

    def __call__(self, number: int) -> None: ...


def test_what_cannot_be_hashed_is_checked_too() -> None:
    check_call(Unhashable(), None, (1,), {})
    with pytest.raises(WrongArguments):
        check_call(Unhashable(), None, (), {})


def plain(a: Any, /, b: Any, c: Any = 1, *, d: Any, e: Any = 2) -> None: ...


def defaults(a: Any = 1, b: Any = 2, /, c: Any = 3) -> None: ...


def keywords(*, a: Any, b: Any = 1) -> None: ...


def rest(a: Any, *args: Any, b: Any = 1) -> None: ...


def nothing() -> None: ...


@given(
    st.sampled_from([plain, defaults, keywords, rest, nothing]),
    st.lists(st.integers(), max_size=5),
    st.dictionaries(st.sampled_from("abcdefx"), st.integers()),
)
def test_the_check_agrees_with_python(function: Any, args: Any, kwargs: Any) -> None:
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError:
        with pytest.raises(WrongArguments):
            check_call(function, None, args, kwargs)
    else:
        check_call(function, None, args, kwargs)


class Methods:
    def plain(self, a: Any, /, b: Any, c: Any = 1, *, d: Any = 3) -> None: ...

    def careless(*args: Any) -> None: ...

    @classmethod
    def made(cls, a: Any, b: Any = 1) -> None: ...

    @staticmethod
    def static(a: Any, b: Any = 1) -> None: ...


@given(
    st.sampled_from(["plain", "careless", "made", "static"]),
    st.sampled_from([Methods, Methods()]),
    st.lists(st.integers(), max_size=4),
    st.dictionaries(st.sampled_from("abcdx"), st.integers()),
)
def test_the_check_of_methods_agrees_with_python(method: str, target: Any, args: Any, kwargs: Any) -> None:
    try:
        getattr(target, method)(*args, **kwargs)
    except TypeError:
        with pytest.raises(WrongArguments):
            check_call(target, method, args, kwargs)
    else:
        check_call(target, method, args, kwargs)


def test_the_signature_is_that_which_a_caller_sees() -> None:
    assert str(signature_of(Methods().plain)) == "(a: 'Any', /, b: 'Any', c: 'Any' = 1, *, d: 'Any' = 3) -> 'None'"
    assert str(signature_of(Methods().careless)) == "(*args: 'Any') -> 'None'"
    assert str(signature_of(Methods.made)) == "(a: 'Any', b: 'Any' = 1) -> 'None'"
    assert signature_of(print) is not None
    assert signature_of(type) is None


class WithDefaults:
    def perform(self, times: int = 1, *, loud: bool = False) -> None: ...


class Async:
    async def perform(self) -> None: ...


class ClassLevel:
    @classmethod
    def perform(cls) -> None: ...


def test_a_job_object_has_a_perform() -> None:
    for payload in (shop.Hello("a"), shop.Mailing(None), WithDefaults(), Async(), ClassLevel()):
        check_job_object(payload)


class NeedsArguments:
    def perform(self, user: str) -> None: ...


class NotAMethod:
    perform = "perform"


class AsProperty:
    @property
    def perform(self) -> Any:
        raise AssertionError("looked at")


@dataclass
class OnlyInstance:
    perform: Any = None


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (shop.Item("a"), r"cannot enqueue an object of Item: it has no perform\(\)"),
        (7, r"cannot enqueue an object of int: it has no perform\(\)"),
        (None, r"cannot enqueue an object of NoneType: it has no perform\(\)"),
        (shop.greet, r"cannot enqueue an object of function: it has no perform\(\)"),
        (shop.Hello, "cannot enqueue the class Hello: expected an instance of it"),
        (NotAMethod(), r"it has no perform\(\)"),
        (AsProperty(), r"it has no perform\(\)"),
        (OnlyInstance(lambda: None), r"it has no perform\(\)"),
        (shop.Tempting(), r"it has no perform\(\)"),
        (
            NeedsArguments(),
            r"perform\(\) of NeedsArguments must need no arguments: missing a required argument: 'user'",
        ),
    ],
)
def test_anything_else_is_refused(payload: Any, message: str) -> None:
    with pytest.raises(EnqueueError, match=message):
        check_job_object(payload)


@given(st.integers() | st.text() | st.lists(st.integers()))
def test_values_are_no_job_objects(value: Any) -> None:
    with pytest.raises(EnqueueError):
        check_job_object(value)
