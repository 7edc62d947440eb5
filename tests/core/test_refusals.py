"""Values that cannot be written: refused with their path and what to pass instead."""

from __future__ import annotations

import gc
import sys
import uuid
import weakref
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any

import pytest

from backburner.core.errors import EnqueueError, NotAllowed, NotImportable, NotSerializable, UnsavedRecord
from tests.core import models, shop
from tests.core.conftest import SHOP
from tests.core.test_values import BERLIN, CODEC, back, handler_of, same


class Text(str):
    __slots__ = ()


class Number(int):
    pass


class Ratio(float):
    pass


class Rows(list[int]):
    pass


class Table(dict[str, int]):
    pass


class Pair(tuple[int, int]):
    __slots__ = ()


class Duration(timedelta):
    pass


class Money(Decimal):
    pass


class Array(list[int]):
    __module__ = "numpy"
    shape = (2,)


class Scalar(float):
    __module__ = "numpy"
    shape = ()


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (Text("a"), r"Text: a subclass of str, pass str\(value\)"),
        (Number(1), r"a subclass of int, pass int\(value\)"),
        (Ratio(1), r"a subclass of float, pass float\(value\)"),
        (Rows(), r"a subclass of list, pass list\(value\)"),
        (Table(), r"a subclass of dict, pass dict\(value\)"),
        (Pair((1, 2)), r"a subclass of tuple, pass tuple\(value\)"),
        (Duration(1), r"a subclass of timedelta, pass timedelta\(value\)"),
        (Money(1), r"a subclass of Decimal, pass Decimal\(value\)"),
        (Array(), r"type numpy.Array: pass value.tolist\(\)"),
        (Scalar(1), r"type numpy.Scalar: pass value.item\(\)"),
        (range(3), r"type range: pass list\(value\)"),
        ({}.keys(), r"pass list\(value\)"),
        (shop.made_by_generator(), r"type generator: pass list\(value\)"),
        (iter([]), r"pass list\(value\)"),
        (memoryview(b"a"), r"pass bytes\(value\)"),
        (shop.Cart("a", []).check_out, "pass the object and call the method in the job"),
        (shop.double, "pass the function and its arguments one by one"),
        (sys.stdout, "open or make it in the job"),
        (ValueError("x"), "it is an exception: pass its text"),
        (object(), "of type object"),
        (1j, "of type complex: it holds more than attributes"),
        (Ellipsis, "of type ellipsis"),
        (UTC, "of type datetime.timezone"),
        (uuid, "the module uuid"),
        (shop.Guarded(), "has a __del__"),
        (shop.Cart("a", []).lock, "open or make it in the job"),
        (SimpleNamespace(a=1), "it holds more than attributes"),
        (BERLIN, "zoneinfo.ZoneInfo"),
        (ip_address("::1"), r"ipaddress.IPv6Address: pass str\(value\)"),
        (Fraction(1, 2), r"pass str\(value\)"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_cannot_be_written_is_refused_with_advice(value: Any, advice: str) -> None:
    with pytest.raises((NotSerializable, NotAllowed), match=advice):
        handler_of(value)


class Precise(datetime):
    """As pandas makes them: equal only to its own kind."""

    def __eq__(self, other: object) -> bool:
        return type(other) is Precise

    __hash__ = datetime.__hash__


def test_a_subclass_of_datetime_that_would_lose_something_is_refused() -> None:
    with pytest.raises(NotSerializable, match="a subclass of datetime"):
        handler_of(Precise(2026, 1, 1))


def test_a_coroutine_is_refused_with_advice() -> None:
    coroutine = shop.fetch("url")
    with pytest.raises(NotSerializable, match="what it returns when it is awaited"):
        handler_of(coroutine)
    coroutine.close()


def test_a_value_met_deep_in_the_stack_is_refused() -> None:
    def deeper(levels: int) -> str:
        return deeper(levels - 1) if levels else handler_of([[[[[[[[1]]]]]]]])

    def outcome(levels: int) -> str:
        try:
            return deeper(levels)
        except (NotSerializable, RecursionError) as error:
            return str(error)

    outcomes = {outcome(levels) for levels in range(sys.getrecursionlimit() - 200, sys.getrecursionlimit())}
    assert "the payload is nested too deeply" in outcomes


def test_classes_that_come_and_go_are_not_kept_for_ever() -> None:
    made = []
    for number in range(2100):
        cls = type(f"Made{number}", (), {"__module__": SHOP})
        with pytest.raises(NotImportable):
            handler_of(cls())
        made.append(weakref.ref(cls))
        del cls
    gc.collect()
    assert made[0]() is None


def test_a_whole_number_too_long_for_python_is_refused() -> None:
    for value in ([10**5000], {10**5000}, {10**5000: 1}, {"x": frozenset({(10**5000,)})}):
        with pytest.raises(NotSerializable, match="a number cannot be written"):
            handler_of(value)
    with pytest.raises(NotSerializable, match=r"args\[0\]\[a int\]: "):
        handler_of({10**5000: object()})


@pytest.mark.parametrize(
    ("error", "args", "kwargs", "path"),
    [
        (NotSerializable, (1, object()), {}, "args[1]: "),
        (NotSerializable, (), {"x": object()}, "kwargs['x']: "),
        (NotSerializable, ([0, (1, object())],), {}, "args[0][1][1]: "),
        (NotSerializable, ({"items": [1, 2, 3, object()]},), {}, "args[0]['items'][3]: "),
        (NotSerializable, ({1: object()},), {}, "args[0][1]: "),
        (NotSerializable, ({(object(),): 1},), {}, "args[0][a tuple][0]: "),
        (NotSerializable, (shop.Item("a", price=object()),), {}, "args[0].price: "),
        (NotSerializable, (shop.Cart("a", [1, object()]),), {}, "args[0]._items[1]: "),
        (NotSerializable, (), {"x": shop.Point([object()])}, "kwargs['x'].x[0]: "),  # type: ignore[arg-type]  # on purpose
        (NotImportable, ([lambda: None],), {}, "args[0][0]: <lambda> is a lambda"),
        (NotAllowed, ({"run": shop.run_program},), {}, "args[0]['run']: "),
        (NotAllowed, (shop.Worker.program,), {}, "args[0]: "),
        (UnsavedRecord, (1, [models.User(None)]), {}, "args[1][0]: this User has no key"),
        (NotSerializable, (models.User((1, object())),), {}, "args[0].key[1]: "),
    ],
)
def test_a_refusal_names_the_path(error: type[EnqueueError], args: Any, kwargs: Any, path: str) -> None:
    with pytest.raises(error) as caught:
        handler_of(*args, **kwargs)
    assert str(caught.value).startswith(path)
    assert type(caught.value) is error


def test_the_path_of_a_job_object_begins_with_its_class() -> None:
    with pytest.raises(NotSerializable, match=r"^Mailing\.copies\[1\]\.name: cannot be written, it is of type object"):
        CODEC.dump(shop.Mailing(None, [1, shop.Item(object())]))  # type: ignore[arg-type]  # on purpose
    with pytest.raises(UnsavedRecord, match=r"^Mailing\.user: this User has no key"):
        CODEC.dump(shop.Mailing(models.User(None)))


def test_a_value_that_contains_itself_is_refused() -> None:
    ring: list[Any] = []
    ring.append(ring)
    loop = shop.Item("a")
    loop.price = {"self": loop}
    for value in (ring, loop):
        with pytest.raises(NotSerializable, match="nested deeper than 100 levels, or contained in itself") as caught:
            handler_of(value)
        assert len(str(caught.value)) < 500


def test_a_value_may_be_nested_a_hundred_levels_deep() -> None:
    value: Any = {1}
    for level in range(100):
        value = {level: value} if level % 3 == 0 else [value] if level % 3 == 1 else (value,)
    assert same(back(value), value)
    with pytest.raises(NotSerializable, match="nested deeper"):
        handler_of([value])
