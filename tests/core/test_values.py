"""Values in handlers: they come back equal and of the same type, or are refused with their path."""

from __future__ import annotations

import json
import math
import pathlib
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backburner.core.allow import Allowed
from backburner.core.codec import Codec
from backburner.core.errors import NotSerializable
from backburner.core.payload import Call
from tests.core import shop
from tests.core.conftest import MODELS, SHOP

CODEC = Codec(Allowed([SHOP, MODELS]))
BERLIN = ZoneInfo("Europe/Berlin")


def handler_of(*args: Any, **kwargs: Any) -> str:
    return CODEC.dump(Call(shop.everything, None, args, kwargs))


def written(value: Any) -> Any:
    return json.loads(handler_of(value))["call"]["args"][0]


def back(value: Any) -> Any:
    call = CODEC.load(handler_of(value, key=value))
    assert same(call.args[0], call.kwargs["key"])
    return call.args[0]


def same(one: Any, other: Any) -> bool:
    """Say whether two values are equal and of the same types, all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(map(kind, one)) == list(map(kind, other)) and all(map(same, one.values(), other.values()))
    if isinstance(one, (shop.Item, shop.Cart)):
        return same(vars(one), vars(other))
    if isinstance(one, (set, frozenset)):
        return {kind(item) for item in one} == {kind(item) for item in other}
    return bool(kind(one) == kind(other))


def kind(value: Any) -> Any:
    """Return what tells values apart that compare equal, and makes those equal that do not equal themselves."""
    if isinstance(value, (float, Decimal)):
        return type(value), repr(value)
    if isinstance(value, (datetime, time)):
        return type(value), value.isoformat(), value.fold, getattr(value.tzinfo, "key", None)
    if isinstance(value, (tuple, frozenset)):
        return type(value), type(value)(map(kind, value))
    return type(value), value


VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    2**53 + 1,
    10**4000,
    -(2**200),
    "",
    "text",
    "ä\u2028\x00\n\U0001f600",
    "\ud800",
    "a\udc00b",
    0.1,
    -0.0,
    1e308,
    5e-324,
    math.inf,
    -math.inf,
    math.nan,
    b"",
    b"\x00\xff",
    bytearray(b"abc"),
    [],
    [1, [2, [3]]],
    (),
    (1, (2,)),
    ([1], {"a": (1,)}),
    set(),
    {1, 2, 3},
    {(1, 2), "a", None, frozenset({1})},
    frozenset({frozenset({frozenset()})}),
    {},
    {"a": 1, "b": {"c": [1]}},
    {"$tuple": [1]},
    {"a": 1, "$": 2},
    {1: "one", "1": "text", None: 0, (1, 2): 3, True and 5: 6, 2.5: 7, b"x": 8},
    {date(2026, 1, 1): {"$x": {}}},
    datetime(2026, 1, 2, 3, 4, 5, 6),
    datetime.min,
    datetime.max,
    datetime(2026, 10, 25, 2, 30, fold=1),
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=-5, minutes=-30))),
    datetime(2026, 1, 1, tzinfo=timezone(timedelta(seconds=30, microseconds=7))),
    datetime(2026, 7, 1, 12, tzinfo=BERLIN),
    datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN),
    datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN),
    datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")),
    date(2026, 2, 28),
    date.min,
    time(1, 2, 3, 4),
    time(1, 2, fold=1),
    time(1, tzinfo=UTC),
    time(1, tzinfo=BERLIN),
    timedelta(),
    timedelta.max,
    timedelta.min,
    timedelta(days=-1, microseconds=1),
    Decimal("1.10"),
    Decimal("-0"),
    Decimal("NaN"),
    Decimal("sNaN123"),
    Decimal("-Infinity"),
    Decimal("1E+1000"),
    uuid.UUID(int=7),
    uuid.UUID(int=2**128 - 1),
    pathlib.Path("/tmp") / "a b",  # noqa: S108 - no file is made
    pathlib.PurePosixPath("a/../b"),
    pathlib.PureWindowsPath("C:\\a"),
    pathlib.Path(),
    shop.Colour.RED,
    shop.Colour.ROUGE,
    shop.Size.SMALL,
    shop.Mood.GOOD,
    shop.Right.READ,
    shop.Right.READ | shop.Right.WRITE,
    shop.Right.READ | shop.Right.ADMIN,
    shop.Right(0),
    shop.Bits.A | shop.Bits.B,
    shop.Bits(0),
    shop.Bits(64),
    shop.greet,
    shop.welcome,
    shop.area,
    shop.Cart,
    shop.Outer.Inner,
    shop.Abstract,
    shop,
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_comes_back(value: Any) -> None:
    assert same(back(value), value)
    assert same(back([value]), [value])
    assert same(back((value, {"key": value})), (value, {"key": value}))


def test_the_same_zone_comes_back() -> None:
    moment = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN)
    assert back(moment).tzinfo is BERLIN
    assert back(moment).utcoffset() == timedelta(hours=1)
    assert back(moment.replace(fold=0)).utcoffset() == timedelta(hours=2)


class Fixed(tzinfo):
    """A time zone of somebody's own."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        return timedelta(hours=3)

    def dst(self, moment: datetime | None) -> None:
        return None

    def tzname(self, moment: datetime | None) -> str:
        return "fixed"


def test_other_zones_keep_their_offset() -> None:
    moment = datetime(2026, 1, 1, 12, tzinfo=Fixed())
    assert back(moment) == moment
    assert back(moment).utcoffset() == timedelta(hours=3)


def test_lone_surrogates_are_escaped_so_that_the_handler_can_be_encoded() -> None:
    handler = handler_of("ä\ud800")
    assert handler.encode()
    assert handler.isascii()
    assert handler_of("ä").encode("latin-1")


def test_both_halves_of_a_surrogate_pair_are_refused() -> None:
    with pytest.raises(NotSerializable, match="surrogate pair"):
        handler_of("\ud83d\ude00")


def test_how_values_are_written() -> None:
    assert written((1, "a")) == {"$tuple": [1, "a"]}
    assert written(frozenset({"b", "a"})) == {"$frozenset": ["a", "b"]}
    assert written(b"\x00\xff") == {"$bytes": "AP8="}
    assert written(datetime(2026, 7, 1, tzinfo=BERLIN)) == {"$datetime": "2026-07-01T00:00:00+02:00[Europe/Berlin]"}
    assert written(datetime(2026, 7, 1, fold=1)) == {"$datetime": "2026-07-01T00:00:00[fold=1]"}
    assert written(timedelta(hours=25)) == {"$timedelta": [1, 3600, 0]}
    assert written(Decimal("1.10")) == {"$decimal": "1.10"}
    assert written({1: 2}) == {"$dict": [[1, 2]]}
    assert written(math.nan) == {"$float": "nan"}
    assert written(pathlib.PureWindowsPath("C:\\a")) == {"$path": "C:\\a", "pure": "PureWindowsPath"}
    assert written(shop.Colour.ROUGE) == {"$enum": f"{SHOP}:Colour", "name": "RED"}
    assert written(shop.Right.READ | shop.Right.ADMIN) == {"$enum": f"{SHOP}:Right", "value": 5}
    assert written(shop.greet) == {"$function": f"{SHOP}:greet"}
    assert written(shop.Cart) == {"$class": f"{SHOP}:Cart"}
    assert written(shop) == {"$module": SHOP}
    assert written({"a": [None, True, 1.5]}) == {"a": [None, True, 1.5]}


def test_a_set_is_always_written_alike() -> None:
    assert handler_of({"b", 1, None, "a"}) == handler_of({"a", None, "b", 1})


def test_enums_are_data_and_need_not_be_allowed() -> None:
    codec = Codec(Allowed())
    handler = codec.dump(Call(shop.welcome, None, (shop.Colour.RED,)))
    assert codec.load(handler).args == (shop.Colour.RED,)


class FrozenDate(date):
    """As freezegun makes them."""


class FrozenDatetime(datetime):
    """As freezegun makes them."""


def test_a_subclass_of_date_or_datetime_comes_back_as_its_base() -> None:
    assert same(back(FrozenDate(2026, 1, 2)), date(2026, 1, 2))
    moment = FrozenDatetime(2026, 10, 25, 2, 30, 1, 5, tzinfo=BERLIN, fold=1)
    assert same(back(moment), datetime(2026, 10, 25, 2, 30, 1, 5, tzinfo=BERLIN, fold=1))


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.decimals()
    | st.uuids()
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.datetimes(timezones=st.none() | st.just(UTC) | st.timezones())
    | st.sampled_from([*shop.Colour, *shop.Right, shop.Right.READ | shop.Right.ADMIN, shop.Mood.GOOD, shop.Size.SMALL])
)
HASHABLE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.dates() | st.uuids(),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=5,
)
NESTED = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.sets(HASHABLE, max_size=4)
        | st.frozensets(HASHABLE, max_size=4)
        | st.dictionaries(st.text(), inner, max_size=4)
        | st.dictionaries(HASHABLE, inner, max_size=4)
        | st.builds(shop.Item, st.text(), inner, st.just([]))
        | st.builds(shop.Cart, st.text(), st.lists(inner, max_size=2))
        | st.builds(shop.Point, inner, inner)
    ),
    max_leaves=20,
)


@given(NESTED)
def test_nested_values_come_back(value: Any) -> None:
    assert same(back(value), value)


@given(st.text(st.characters()))
def test_any_text_comes_back(text: str) -> None:
    assert back(text) == text
    assert back({text: text}) == {text: text}


PLAIN_VALUES = st.none() | st.booleans() | st.integers() | st.text()


@given(st.lists(PLAIN_VALUES), st.dictionaries(st.text(), PLAIN_VALUES))
def test_plain_arguments_are_written_as_they_are_among_others(args: list[Any], kwargs: dict[str, Any]) -> None:
    call = json.loads(handler_of(*args, **kwargs))["call"]
    mixed = json.loads(handler_of(*args, (), **{**kwargs, "kept apart": ()}))["call"]
    assert mixed.pop("kwargs") == {**call.pop("kwargs", {}), "kept apart": {"$tuple": []}}
    assert mixed.pop("args") == [*call.pop("args", []), {"$tuple": []}]
    assert call == mixed
