"""Calls and job objects: their names, and what performing them does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from unittest.mock import Mock
from unittest.mock import call as call_of_mock

import pytest

from backburner.core.codec import Codec
from backburner.core.errors import UnknownMethod
from backburner.core.payload import Call, name_of_payload, perform
from tests.core import models, shop


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (Call(shop.greet), "greet"),
        (Call(shop.welcome), "welcome"),
        (Call(shop.Cart.check_out), "Cart.check_out"),
        (Call(models.User(1), "activate"), "User.activate"),
        (Call(models.User, "find"), "User.find"),
        (Call(shop.Outer.Inner(), "work"), "Outer.Inner.work"),
        (Call(shop, "greet"), "shop.greet"),
        (Call(shop.double), "partial"),
    ],
)
def test_a_call_is_named_after_its_target(call: Call, name: str) -> None:
    assert call.name == name
    assert name_of_payload(call) == name


@pytest.mark.parametrize(
    ("call", "result"),
    [
        (Call(shop.greet, None, ("Ann",)), "Hello Ann"),
        (Call(shop.greet, None, ("Ann", "Hi"), {"loud": True}), "HI ANN"),
        (Call(shop.charge, None, (5,)), 5),
        (Call(shop.area, None, (2, 3)), 6),
        (Call(shop, "greet", ("Ann",)), "Hello Ann"),
        (Call(shop, "charge", (5,)), 5),
        (Call(shop.Cart("ann", []), "check_out", ("x",)), ("ann", "x")),
        (Call(shop.Cart, "check_out", (shop.Cart("bob", []),)), ("bob", "")),
        (Call(shop.Tool, "make"), "Tool"),
        (Call(shop.Tool(), "make"), "Tool"),
        (Call(shop.Tool, "sharpen"), "sharp"),
        (Call(shop.Tool(), "sharpen"), "sharp"),
        (Call(shop.Worker(), "twice"), 8),
        (Call(shop.Colour.RED, "mix"), "mixed red"),
    ],
)
def test_performing_a_call_makes_it(call: Call, result: Any) -> None:
    assert call.perform() == result
    assert perform(call) == result


@pytest.mark.parametrize(
    ("call", "result"),
    [
        (Call(shop.welcome, None, (7,), {"lang": "de"}), "7 de"),
        (Call(shop, "welcome", (7,)), "7 en"),
        (Call(shop.Device(3), "deliver"), (3, 1)),
        (Call(shop.Device, "deliver", (shop.Device(4), 2)), (4, 2)),
        (Call(shop.Device, "reset"), "reset Device"),
        (Call(shop.Device(1), "reset"), "reset Device"),
        (Call(shop.Device, "renew"), "renewed Device"),
        (Call(shop.Device(1), "renew"), "renewed Device"),
    ],
)
def test_what_was_decorated_runs_itself_and_is_not_enqueued_again(call: Call, result: Any) -> None:
    assert call.perform() == result


def test_a_decorator_above_the_mark_does_not_lead_to_another_enqueue() -> None:
    assert Call(shop.logged(shop.welcome), None, (7,)).perform() == "7 en"


def test_an_object_that_answers_to_every_name_is_called_itself() -> None:
    assert Call(call_of_mock, None, (1,)).perform() == call_of_mock(1)


def test_an_async_function_gives_its_coroutine() -> None:
    assert asyncio.run(Call(shop.fetch, None, ("url",)).perform()) == "content of url"


def test_the_class_of_the_receiver_may_finish_the_result() -> None:
    assert Call(shop.Mail, "hello", ("Ann",)).perform() == "delivered hello Ann"
    assert Call(shop.Mail(), "hello", ("Ann",)).perform() == "delivered hello Ann"
    assert asyncio.run(Call(shop.Mail, "later", ("Ann",)).perform()) == "delivered later Ann"


class AsyncMail(shop.Mail):
    @classmethod
    async def __job_result__(cls, result: str) -> str:  # type: ignore[override]  # it may be async
        return f"sent {result}"


def test_the_result_may_be_finished_by_an_async_method() -> None:
    assert asyncio.run(Call(AsyncMail, "hello", ("Ann",)).perform()) == "sent hello Ann"
    assert asyncio.run(Call(AsyncMail, "later", ("Ann",)).perform()) == "sent later Ann"


class Plain:
    """No Runnable: a method of this name means nothing here."""

    def work(self) -> str:
        return "worked"

    @classmethod
    def __job_result__(cls, result: str) -> str:
        raise AssertionError("called")


def test_only_runnable_classes_finish_results() -> None:
    assert Call(Plain(), "work").perform() == "worked"


def test_a_method_that_is_gone_is_an_error() -> None:
    with pytest.raises(UnknownMethod, match="Cart has no method vanished"):
        Call(shop.Cart("ann", []), "vanished").perform()


def test_a_patched_method_is_called(monkeypatch: pytest.MonkeyPatch, codec: Codec) -> None:
    stand_in = Mock(return_value="mocked")
    monkeypatch.setattr(models.User, "activate", stand_in)
    user = models.User(7).save()
    call = codec.load(codec.dump(Call(user, "activate", ("code",))))
    assert call.perform() == "mocked"
    stand_in.assert_called_once_with("code")


def test_a_job_object_is_performed() -> None:
    assert perform(shop.Hello("Hi")) == "sent Hi"


class Again:
    @shop.Wrapper
    def perform(self) -> str:
        return "ran"


def test_a_job_object_whose_perform_is_decorated_runs_itself() -> None:
    assert perform(Again()) == "ran"


def test_a_job_object_is_named_after_its_class() -> None:
    assert name_of_payload(shop.Hello("Hi")) == "Hello"
    assert name_of_payload(shop.Outer.Inner()) == "Outer.Inner"


class Named:
    display_name = "somebody"


class Computed:
    def __init__(self, number: int) -> None:
        self.number = number

    def display_name(self) -> str:
        return f"number {self.number}"


@dataclass
class Data:
    display_name: str = "data"


def test_a_job_object_may_say_its_own_name() -> None:
    assert name_of_payload(Named()) == "somebody"
    assert name_of_payload(Computed(7)) == "number 7"
    assert name_of_payload(Data()) == "Data"


def test_calls_compare_by_value(codec: Codec) -> None:
    call = Call(shop.Item("tea"), "perform", (1, [2]), {"x": shop.Colour.RED})
    assert call == Call(shop.Item("tea"), "perform", (1, [2]), {"x": shop.Colour.RED})
    written = Call(shop.greet, None, ("Ann",), {"greeting": "Hi"})
    assert codec.load(codec.dump(written)) == written
