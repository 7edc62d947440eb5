"""What a job may name, asked of the rule itself."""

from __future__ import annotations

import math
import os
import subprocess
from functools import partial
from types import ModuleType
from typing import Any
from unittest.mock import Mock

import pytest

from backburner.core.allow import Allowed
from backburner.core.errors import ConfigurationError, NotAllowed, UnknownMethod
from backburner.core.marks import JobHooks, Runnable
from tests.core import models, shop
from tests.core.conftest import MODELS, SHOP

NOTHING = Allowed()
SAMPLE = Allowed([SHOP, MODELS])


def test_a_prefix_covers_a_module_and_what_lies_below_it() -> None:
    allowed = Allowed(["shop", "lib.jobs"])
    assert allowed.prefixes == ("shop", "lib.jobs")
    assert [allowed.covers(name) for name in ("shop", "shop.jobs", "shop.jobs.mail", "lib.jobs")] == [True] * 4
    assert [allowed.covers(name) for name in ("shopping", "sho", "lib", "lib.job", "", "myshop.shop")] == [False] * 6


def test_a_prefix_may_be_added_later() -> None:
    allowed = Allowed()
    assert not allowed.covers("shop.jobs")
    allowed.add("shop")
    allowed.add("shop")
    assert allowed.covers("shop.jobs")
    assert allowed.prefixes == ("shop",)


@pytest.mark.parametrize(
    "prefix", ["", ".", "shop.", "shop..jobs", "shop:jobs", "shop/*", "my-shop", "shop jobs", 7, None, b"shop"]
)
def test_a_prefix_is_the_name_of_a_module(prefix: Any) -> None:
    with pytest.raises(ConfigurationError, match="expected the name of a module"):
        Allowed([prefix])


def test_the_prefixes_are_a_list() -> None:
    with pytest.raises(ConfigurationError, match="expected a list of module names, got the text 'shop'"):
        Allowed("shop")


@pytest.mark.parametrize(
    "function", [shop.greet, shop._tidy_up, shop.charge, shop.area, shop.Cart.check_out, shop.fetch]
)
def test_functions_under_a_prefix_are_allowed(function: Any) -> None:
    SAMPLE.check_function(function)
    with pytest.raises(NotAllowed):
        NOTHING.check_function(function)


def test_marked_functions_are_allowed_everywhere() -> None:
    NOTHING.check_function(shop.welcome)


@pytest.mark.parametrize("function", [shop.Tool.use, shop.Tool.sharpen, shop.Import.run])
def test_functions_in_the_body_of_a_runnable_class_are_allowed(function: Any) -> None:
    NOTHING.check_function(function)


@pytest.mark.parametrize("function", [subprocess.run, os.system, eval, math.sqrt, shop.run_program, shop.load_anything])
def test_functions_from_elsewhere_are_not_allowed(function: Any) -> None:
    with pytest.raises(NotAllowed, match="Call it in a function of your own that is marked @job"):
        SAMPLE.check_function(function)


@pytest.mark.parametrize(
    "thing", [shop.Cart, subprocess.Popen, shop.double, partial(os.system), shop.Cart("a", []).check_out, 7, None]
)
def test_what_is_no_function_is_not_called(thing: Any) -> None:
    with pytest.raises(NotAllowed):
        SAMPLE.check_function(thing)


def test_a_mark_that_is_not_true_is_no_mark() -> None:
    function = Mock()
    with pytest.raises(NotAllowed):
        NOTHING.check_function(function)


@pytest.mark.parametrize("cls", [Runnable, JobHooks, shop.Tool, shop.Import, models.User])
def test_runnable_classes_are_allowed_everywhere(cls: type) -> None:
    NOTHING.check_class(cls)


@pytest.mark.parametrize("cls", [shop.Cart, shop.Outer.Inner, models.Invoice, shop.Form])
def test_classes_under_a_prefix_are_allowed(cls: type) -> None:
    SAMPLE.check_class(cls)
    with pytest.raises(NotAllowed):
        NOTHING.check_class(cls)


@pytest.mark.parametrize("cls", [shop.Worker.program, object, type, dict, ModuleType])
def test_classes_from_elsewhere_are_not_allowed(cls: type) -> None:
    with pytest.raises(NotAllowed):
        SAMPLE.check_class(cls)


def test_modules_under_a_prefix_are_allowed() -> None:
    SAMPLE.check_module(shop)
    for module in (os, pytest):
        with pytest.raises(NotAllowed):
            SAMPLE.check_module(module)


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        (shop.Cart, "check_out"),
        (shop.Cart, "_recount"),
        (shop.Form, "ours"),
        (shop.Worker, "ours"),
        (shop.Worker, "wrapped"),
        (shop.Worker, "twice"),
        (shop.SlottedMore, "private"),
        (shop.Colour, "mix"),
        (shop, "greet"),
        (shop, "_tidy_up"),
        (shop, "charge"),
        (shop, "shout"),
        (shop, "double"),
    ],
)
def test_methods_of_what_lies_under_a_prefix_are_allowed(owner: Any, method: str) -> None:
    SAMPLE.check_method(owner, method)
    with pytest.raises(NotAllowed):
        NOTHING.check_method(owner, method)


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        (shop.Tool, "use"),
        (shop.Tool, "sharpen"),
        (shop.Tool, "make"),
        (models.User, "activate"),
        (models.User, "save"),
        (shop.Device, "deliver"),
        (shop.Device, "reset"),
        (shop.Device, "renew"),
        (shop, "welcome"),
    ],
)
def test_marked_methods_and_those_of_runnable_classes_are_allowed_everywhere(owner: Any, method: str) -> None:
    NOTHING.check_method(owner, method)


@pytest.mark.parametrize("method", ["explode", "__init__"])
def test_a_marked_method_opens_no_other(method: str) -> None:
    with pytest.raises(NotAllowed):
        NOTHING.check_method(shop.Device, method)


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        (shop.Worker, "run_program"),
        (shop.Worker, "system"),
        (shop.Worker, "loads"),
        (shop.Worker, "_bootstrap"),
        (shop.Form, "parse_raw"),
        (shop.Form, "model_validate_json"),
        (shop.Mood, "upper"),
        (shop.Size, "from_bytes"),
        (shop.Point, "_make"),
        (shop.Outer.Error, "with_traceback"),
        (shop, "run_program"),
        (shop, "load_anything"),
        (shop, "__builtins__"),
        (shop.Cart, "__init__"),
        (shop.Cart, "__class__"),
        (shop.Cart, "__reduce_ex__"),
        (shop.Cart, "__init_subclass__"),
        (shop.Cart, "__subclasshook__"),
    ],
)
def test_what_is_defined_elsewhere_is_not_allowed(owner: Any, method: str) -> None:
    for of_record in (False, True):
        with pytest.raises(NotAllowed):
            SAMPLE.check_method(owner, method, of_record=of_record)


def test_only_records_have_the_public_methods_of_bases_from_elsewhere() -> None:
    SAMPLE.check_method(shop.Worker, "start", of_record=True)
    with pytest.raises(NotAllowed):
        SAMPLE.check_method(shop.Worker, "start")
    with pytest.raises(NotAllowed):
        SAMPLE.check_method(shop.Worker, "_bootstrap", of_record=True)


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        (shop.Cart, "mro"),
        (shop.Cart, "register"),
        (shop.Cart, "nothing"),
        (shop.Cart, "total"),
        (shop.Cart, "lock"),
        (shop.Cart, "currency"),
        (shop.Slotted, "a"),
        (shop.Worker, "program"),
        (shop.Worker, "spawn"),
        (shop.Outer, "Inner"),
        (shop.Outer, "Error"),
        (shop.Tempting, "descriptor"),
        (shop.Tempting, "prop"),
        (shop.Tempting, "whatever"),
        (shop, "Cart"),
        (shop, "calls"),
        (shop, "os"),
        (shop, "cached_property"),
        (shop, "nothing"),
    ],
)
def test_what_is_no_method_is_not_called(owner: Any, method: str) -> None:
    with pytest.raises(UnknownMethod):
        SAMPLE.check_method(owner, method)
    assert shop.calls == []


def test_methods_of_backburners_own_bases_are_not_for_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runnable, "helper", lambda self: None, raising=False)
    for allowed in (NOTHING, SAMPLE):
        with pytest.raises(NotAllowed):
            allowed.check_method(shop.Tool, "helper", of_record=True)


def test_what_a_test_puts_in_the_place_of_a_method_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    for stand_in in (Mock(), lambda self: None, local_function()):
        monkeypatch.setattr(shop.Cart, "check_out", stand_in)
        SAMPLE.check_method(shop.Cart, "check_out")
        monkeypatch.setattr(shop.Tool, "use", stand_in)
        NOTHING.check_method(shop.Tool, "use")
    monkeypatch.setattr(shop, "greet", Mock())
    SAMPLE.check_method(shop, "greet")


def local_function() -> Any:
    def inner(self: object) -> None: ...

    return inner


@pytest.mark.parametrize(
    ("refuse", "line"),
    [
        (lambda: NOTHING.check_function(shop.greet), r'configure\(url, allow=\["tests"\]\), or mark it with @job'),
        (lambda: NOTHING.check_class(shop.Cart), r'configure\(url, allow=\["tests"\]\), or let it subclass Delayable'),
        (lambda: NOTHING.check_module(shop), r'configure\(url, allow=\["tests"\]\)'),
        (lambda: NOTHING.check_method(shop, "greet"), r'configure\(url, allow=\["tests"\]\)'),
        (lambda: NOTHING.check_method(shop.Cart, "check_out"), r'configure\(url, allow=\["tests"\]\)'),
    ],
)
def test_the_message_has_the_line_to_write(refuse: Any, line: str) -> None:
    with pytest.raises(NotAllowed, match=line):
        refuse()
