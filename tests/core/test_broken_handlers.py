"""Handlers that cannot be read: a short reason, always one of a few exceptions, and no code that runs."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backburner.core.allow import Allowed
from backburner.core.codec import Codec
from backburner.core.errors import DeserializationError, NotAllowed, RecordMissing, UnknownJob
from backburner.core.payload import Call
from tests.core import models, shop
from tests.core.conftest import MODELS, SHOP
from tests.core.test_values import VALUES

CODEC = Codec(Allowed([SHOP, MODELS]))
EVERYTHING = f"{SHOP}:everything"


def handler_with(*args: Any) -> str:
    return json.dumps({"v": 1, "call": {"function": EVERYTHING, "args": args}})


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (None, "expected text, got NoneType"),
        (7, "expected text, got int"),
        (b"{}", "expected text, got bytes"),
        ("", "it is not JSON"),
        ("not JSON", "it is not JSON"),
        ('{"v":1,"call":{"function":"tests.core.shop:greet","ar', "it is not JSON"),
        ('{"v":1,"call":{}} and more', "it is not JSON: Extra data"),
        ('{"v":NaN}', "NaN is not JSON"),
        ('{"v":1' + "0" * 5000 + "}", "it is not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"v":1,"v":1,"call":{}}', "a key stands twice"),
        (handler_with({"$tuple": []}).replace("[]", '[],"$tuple":[]'), "a key stands twice"),
        ("1", "expected an object with the version v"),
        ("[]", "expected an object with the version v"),
        ("{}", "expected an object with the version v"),
        ('{"v":"1","call":{}}', "expected an object with the version v"),
        ('{"v":true,"call":{}}', "expected an object with the version v"),
        ('{"v":1.0,"call":{}}', "expected an object with the version v"),
        ('{"v":0,"call":{}}', "made by another version of backburner: format 0"),
        ('{"v":1}', "expected v and call, or v and object, got v"),
        ('{"v":1,"call":{},"object":{}}', "expected v and call, or v and object, got v, call, object"),
        ('{"v":1,"job":{}}', "expected v and call, or v and object"),
        ('{"v":1,"call":[]}', "expected the call to be an object"),
        ('{"v":1,"call":{}}', "expected a call of a function or method"),
        ('{"v":1,"call":{"function":"tests.core.shop:greet","method":"x"}}', "expected a call of a function or method"),
        ('{"v":1,"call":{"on":{},"method":7}}', "expected a call of a function or method"),
        ('{"v":1,"call":{"on":{},"method":"x"}}', "expected an object with a tag, got an empty one"),
        ('{"v":1,"call":{"on":{"x":{}},"method":"x"}}', "expected an object, record, class or module, got x"),
        ('{"v":1,"call":{"on":7,"method":"x"}}', "got a plain value"),
        ('{"v":1,"call":{"on":{"$tuple":[]},"method":"x"}}', "got \\$tuple"),
        ('{"v":1,"call":{"function":"tests.core.shop:greet","args":{}}}', "expected a list, got an object"),
        ('{"v":1,"call":{"function":"tests.core.shop:greet","args":null}}', "expected a list, got null"),
        ('{"v":1,"call":{"function":"tests.core.shop:greet","kwargs":[]}}', "expected an object, got a list"),
        ('{"v":1,"call":{"function":"tests.core.shop:greet","more":1}}', "expected a call of a function or method"),
        ('{"v":1,"object":1}', "expected a job object: cannot enqueue an object of int: it has no perform"),
        ('{"v":1,"object":{"$function":"tests.core.shop:greet"}}', "it has no perform"),
        ('{"v":1,"object":{"$class":"tests.core.shop:Hello"}}', "cannot enqueue the class Hello"),
        ('{"v":1,"object":{"$object":"tests.core.shop:Item","fields":{"name":"a"}}}', "it has no perform"),
    ],
)
def test_a_broken_handler_is_refused_with_its_beginning(handler: Any, reason: str) -> None:
    with pytest.raises(DeserializationError, match=reason) as caught:
        CODEC.load(handler)
    assert "The handler begins: " in str(caught.value)
    assert len(str(caught.value)) < 600
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"$unknown": 1}, r"the tag \$unknown is not known"),
        ({"$": 1}, r"the tag \$ is not known"),
        ({"$tuple": 1}, "expected a list, got a plain value"),
        ({"$tuple": {}}, "expected a list, got an object"),
        ({"$set": [[1]]}, "unhashable"),
        ({"$set": [{"a": 1}]}, "unhashable"),
        ({"$set": "abc"}, "expected a list, got text"),
        ({"$dict": [[[1], 2]]}, "unhashable"),
        ({"$dict": ["ab"]}, "expected a list of pairs"),
        ({"$dict": [[1, 2, 3]]}, "expected a list of pairs"),
        ({"$dict": {}}, "expected a list of pairs"),
        ({"$tuple": [], "$set": []}, r"unexpected keys beside \$tuple: \$set"),
        ({"$tuple": [], "x": 1}, r"unexpected keys beside \$tuple: x"),
        ({"x": 1, "$tuple": []}, "unexpected keys beside x"),
        ({"$path": "a", "text": "b"}, r"unexpected keys beside \$path"),
        ({"$path": "a", "pure": "Path"}, "KeyError"),
        ({"$path": 7}, "expected text, got int"),
        ({"$path": "a", "pure": []}, "unhashable"),
        ({"$bytes": "x"}, "Error"),
        ({"$bytes": "ä"}, "ValueError"),
        ({"$bytes": None}, "expected text"),
        ({"$float": "1.5"}, "expected nan, inf or -inf"),
        ({"$float": []}, "expected nan, inf or -inf"),
        ({"$datetime": "yesterday"}, "ValueError"),
        ({"$datetime": 7}, "expected text"),
        ({"$datetime": "2026-01-01T00:00:00[Nowhere/City]"}, "ZoneInfoNotFoundError"),
        ({"$datetime": "2026-01-01T00:00:00[../../etc/passwd]"}, "ValueError"),
        ({"$datetime": "2026-01-01T00:00:00[Europe]"}, "Error"),
        ({"$datetime": "2026-01-01T00:00:00[fold=1][UTC]"}, "expected one zone"),
        ({"$datetime": "2026-01-01T00:00:00[UTC"}, "expected suffixes in brackets"),
        ({"$date": "2026-02-30"}, "ValueError"),
        ({"$date": None}, "TypeError"),
        ({"$time": "25:00"}, "ValueError"),
        ({"$timedelta": [1]}, "ValueError"),
        ({"$timedelta": [1, 2, 3.5]}, "expected a whole number"),
        ({"$timedelta": [10**12, 0, 0]}, "OverflowError"),
        ({"$timedelta": 7}, "TypeError"),
        ({"$decimal": "ten"}, "InvalidOperation"),
        ({"$decimal": 10}, "expected text"),
        ({"$decimal": [0, [1], 2]}, "expected text"),
        ({"$uuid": "x"}, "ValueError"),
        ({"$uuid": None}, "expected text"),
        ({"$enum": f"{SHOP}:Cart", "name": "RED"}, "Cart is no enum"),
        ({"$enum": f"{SHOP}:Right", "value": 4096}, "ValueError"),
        ({"$enum": f"{SHOP}:greet", "name": "RED"}, "is no class"),
        ({"$enum": 7, "name": "RED"}, "expected a name"),
        ({"$class": f"{SHOP}:greet"}, "is no class"),
        ({"$class": 7}, "expected a name"),
        ({"$class": "Cart"}, "expected a name"),
        ({"$module": 7}, "expected a name"),
        ({"$module": "a b"}, "expected a dotted name"),
        ({"$function": []}, "expected a name"),
        ({"$object": f"{SHOP}:greet", "fields": {}}, "is no class"),
        ({"$object": f"{SHOP}:Colour", "fields": {}}, "cannot make a Colour"),
        ({"$object": f"{SHOP}:Outer.Error", "fields": {}}, "cannot make a Outer.Error: it is an exception"),
        ({"$object": f"{SHOP}:Guarded", "fields": {"path": "x"}}, "cannot make a Guarded: its class has a __del__"),
        ({"$record": f"{SHOP}:greet", "key": 1}, "is no class"),
    ],
)
def test_a_broken_value_is_refused(value: Any, reason: str) -> None:
    with pytest.raises(DeserializationError, match=reason):
        CODEC.load(handler_with([value]))


@pytest.mark.parametrize(
    "value",
    [
        {"$enum": f"{SHOP}:Colour", "name": "BLUE"},
        {"$enum": f"{SHOP}:Colour", "name": ["RED"]},
        {"$enum": f"{SHOP}:Colour", "value": "red"},
        {"$enum": f"{SHOP}:Colour"},
        {"$enum": f"{SHOP}:Gone", "name": "BLUE"},
        {"$class": f"{SHOP}:Gone"},
        {"$function": f"{SHOP}:gone"},
        {"$module": f"{SHOP}.gone"},
        {"$module": "tabnanny"},
        {"$object": f"{SHOP}:Gone", "fields": {}},
        {"$record": f"{MODELS}:Gone", "key": 1},
    ],
)
def test_code_that_is_not_here_is_an_unknown_job(value: Any) -> None:
    with pytest.raises(UnknownJob):
        CODEC.load(handler_with(value))
    assert "tabnanny" not in sys.modules


def test_a_method_that_is_not_here_is_an_unknown_job() -> None:
    for method in ("gone", "total", "currency", "mro"):
        body = {"v": 1, "call": {"on": {"$class": f"{SHOP}:Cart"}, "method": method}}
        with pytest.raises(UnknownJob, match=f"Cart has no method {method} here"):
            CODEC.load(json.dumps(body))


def test_a_handler_of_a_newer_format_waits_for_a_worker_that_reads_it() -> None:
    with pytest.raises(UnknownJob, match="made by a newer version of backburner: format 2, not 1"):
        CODEC.load('{"v":2,"steps":[]}')


def test_values_nested_deeply_are_refused() -> None:
    value: Any = 1
    for _ in range(300):
        value = {"$tuple": [value]}
    with pytest.raises(DeserializationError, match="nested too deeply"):
        CODEC.load(handler_with(value))


READABLE = (Call, shop.Hello, shop.Mailing)
HANDLERS = [CODEC.dump(Call(shop.everything, None, (value,), {"key": value})) for value in VALUES] + [
    CODEC.dump(Call(shop.Cart("ann", []), "check_out", ("code",))),
    CODEC.dump(Call(shop.Tool, "make")),
    CODEC.dump(Call(shop, "greet", ("ann",))),
    CODEC.dump(Call(models.User(7, name="Ann"), "activate", ("code",))),
    CODEC.dump(shop.Hello("Hi")),
    CODEC.dump(shop.Mailing(shop.Item("a", 1), [shop.Box(1), shop.Packet(1), shop.Order(number=1), shop.Stamp("x")])),
]


def read_if_possible(handler: str) -> None:
    """Read a handler; anything but the errors that `load` promises leaves this function."""
    with suppress(DeserializationError, UnknownJob, NotAllowed):
        assert isinstance(CODEC.load(handler), READABLE)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    read_if_possible(text)


NAMES = st.sampled_from(
    [f"{SHOP}:{name}" for name in vars(shop) if not name.startswith("__")]
    + [
        "os:system",
        "builtins:eval",
        "builtins:object",
        "builtins:type",
        "subprocess:Popen",
        SHOP,
        MODELS,
        f"{MODELS}:User",
    ]
)
WORDS = """
$tuple $set $frozenset $bytes $bytearray $datetime $date $time $timedelta $decimal $uuid $path $enum $class $function
$module $float $dict $object $record $x name value key fields vars defaults extra private pure attributes v call object
on function method args kwargs a __class__ perform
"""
TAGS = st.sampled_from(WORDS.split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TAGS | st.text(max_size=3), inner, max_size=4),
    max_leaves=15,
)


@given(JSON)
def test_any_json_is_read_or_refused(body: Any) -> None:
    read_if_possible(json.dumps(body))
    read_if_possible(handler_with(body))
    read_if_possible(json.dumps({"v": 1, "call": body}))
    read_if_possible(json.dumps({"v": 1, "object": body}))
    read_if_possible(json.dumps({"v": 1, "call": {"on": body, "method": "check_out"}}))


@given(NAMES, st.sampled_from(["$object", "$record", "$class", "$module", "$enum"]), TAGS | st.text(), JSON)
def test_any_receiver_is_read_or_refused(name: str, tag: str, method: str, rest: Any) -> None:
    others = rest if isinstance(rest, dict) else {"fields": {}, "key": rest}
    read_if_possible(json.dumps({"v": 1, "call": {"on": {tag: name, **others}, "method": method}}))


@given(st.sampled_from(HANDLERS), st.data())
def test_a_damaged_handler_is_read_or_refused(handler: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(handler)))
    end = data.draw(st.integers(start, min(start + 5, len(handler))))
    middle = data.draw(st.text(max_size=3) | st.sampled_from(['"', "}", "[", "$", ":", "null", '{"$tuple":[]}', "1"]))
    read_if_possible(handler[:start] + middle + handler[end:])
    read_if_possible(handler[:start])


@given(st.sampled_from(HANDLERS), JSON, st.data())
def test_a_handler_with_a_part_replaced_is_read_or_refused(handler: str, part: Any, data: st.DataObject) -> None:
    body = json.loads(handler)
    place = body
    while isinstance(place, (dict, list)) and place:
        keys = list(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(keys))
        if data.draw(st.booleans()) or not isinstance(place[key], (dict, list)):
            place[key] = part
            break
        place = place[key]
    read_if_possible(json.dumps(body))


def test_a_missing_record_is_no_broken_handler() -> None:
    with pytest.raises(RecordMissing) as caught:
        CODEC.load(handler_with({"$record": f"{MODELS}:User", "key": 7}))
    assert "The handler begins" not in str(caught.value)


def test_an_object_whose_hash_fails_is_refused() -> None:
    item = {"$object": f"{SHOP}:Slotted", "fields": {}}
    assert CODEC.load(handler_with({"$set": [item]}))
    cart = {"$object": f"{SHOP}:Cart", "fields": {}}
    with pytest.raises(DeserializationError, match="unhashable"):
        CODEC.load(handler_with({"$set": [cart]}))
