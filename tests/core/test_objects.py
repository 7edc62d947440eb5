"""Objects by value: job objects, arguments and receivers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from backburner.core.allow import Allowed
from backburner.core.codec import Codec
from backburner.core.errors import DeserializationError, NotAllowed, NotSerializable
from backburner.core.payload import Call
from tests.core import shop
from tests.core.conftest import SHOP


def written(codec: Codec, value: Any) -> Any:
    return json.loads(codec.dump(Call(shop.everything, None, (value,))))["call"]["args"][0]


def read(codec: Codec, value: Any) -> Any:
    body = {"v": 1, "call": {"function": f"{SHOP}:everything", "args": [value]}}
    return codec.load(json.dumps(body)).args[0]


def back(codec: Codec, value: Any) -> Any:
    return read(codec, written(codec, value))


def order() -> shop.Order:
    made = shop.Order(number=1, lines=[1, 2])
    made._seen = 5
    return made


@pytest.mark.parametrize(
    "make",
    [
        lambda: shop.Item("tea", 3, ["hot"]),
        lambda: shop.Address("Main St"),
        lambda: shop.Coordinates(52.5, 13.4),
        lambda: shop.Parcel(2, fragile=True, scale=3),
        lambda: shop.Report(2026),
        lambda: shop.Box(2, 3),
        lambda: shop.Stamp("red"),
        lambda: shop.Crate(2),
        lambda: shop.Packet(1, "a"),
        lambda: shop.Sealed(size=3),
        order,
        lambda: shop.Loose(number=1, other=[2]),  # type: ignore[call-arg]  # it takes more
        lambda: shop.Point(1),
        lambda: shop.Cart("ann", [1, shop.Item("tea")]),
    ],
)
def test_an_object_comes_back_equal_and_of_its_type(codec: Codec, make: Any) -> None:
    value = make()
    hash_before = _hash(value)
    shop.calls.clear()
    again = back(codec, value)
    assert type(again) is type(value)
    assert again == value
    assert _hash(again) == hash_before
    assert back(codec, again) == again
    if not isinstance(value, shop.Sealed):
        assert shop.calls == [], "no constructor ran"


def _hash(value: Any) -> int | None:
    try:
        return hash(value)
    except TypeError:
        return None


def test_how_objects_are_written(codec: Codec) -> None:
    assert written(codec, shop.Item("tea")) == {
        "$object": f"{SHOP}:Item",
        "fields": {"name": "tea", "price": 0, "tags": []},
    }
    assert written(codec, shop.Report(2026)) == {
        "$object": f"{SHOP}:Report",
        "fields": {"year": 2026},
        "vars": {"title": "Report of 2026"},
    }
    assert written(codec, order()) == {
        "$object": f"{SHOP}:Order",
        "fields": {"number": 1, "lines": [1, 2]},
        "defaults": {"note": None},
        "private": {"_seen": 5},
    }
    assert written(codec, shop.Cart("ann", [])) == {"$object": f"{SHOP}:Cart", "fields": {"owner": "ann", "_items": []}}


def test_everything_that_init_computed_comes_back(codec: Codec) -> None:
    parcel = back(codec, shop.Parcel(2, scale=3))
    assert (parcel.weight, parcel.label) == (6, "6 kg")
    assert back(codec, shop.Report(2026)).title == "Report of 2026"
    assert back(codec, shop.Box(2, 3)).volume == 6


def test_slots_come_back(codec: Codec) -> None:
    value = shop.SlottedMore("x")
    again = back(codec, value)
    assert (again.a, again.private()) == ("x", "x")
    assert not hasattr(again, "b")
    assert not hasattr(again, "c")


def test_caches_of_properties_are_left_out(codec: Codec) -> None:
    for value in (shop.Report(2026), shop.Cart("ann", [])):
        assert value.lock
        again = back(codec, value)
        assert "lock" not in vars(again)


def test_a_cached_hash_is_made_anew(codec: Codec) -> None:
    stamp = shop.Stamp("red")
    hash(stamp)
    assert written(codec, stamp)["vars"] == {"_attrs_cached_hash": None}
    assert hash(back(codec, stamp)) == hash(stamp)


def test_what_a_pydantic_model_was_given_is_remembered(codec: Codec) -> None:
    again = back(codec, order())
    assert again.model_dump(exclude_unset=True) == {"number": 1, "lines": [1, 2]}
    assert again._seen == 5
    loose = back(codec, shop.Loose(number=1, other=2))  # type: ignore[call-arg]  # it takes more
    assert loose.model_extra == {"other": 2}
    assert loose.model_fields_set == {"number", "other"}


def test_a_field_that_is_new_since_takes_its_default(codec: Codec) -> None:
    def of(cls: type, **fields: Any) -> Any:
        return read(codec, {"$object": f"{SHOP}:{cls.__name__}", "fields": fields})

    assert of(shop.Item, name="tea") == shop.Item("tea")
    assert of(shop.Address, street="Main St") == shop.Address("Main St")
    assert of(shop.Box, width=4) == shop.Box(4)
    assert of(shop.Packet, size=4) == shop.Packet(4)
    assert of(shop.Sealed, size=4) == shop.Sealed(size=4)
    assert of(shop.Order, number=4) == shop.Order(number=4)
    assert of(shop.Point, x=4) == shop.Point(4)
    parcel = of(shop.Parcel, weight=4)
    assert (parcel.fragile, hasattr(parcel, "label")) == (False, False)
    assert of(shop.Item, name="tea").tags is not of(shop.Item, name="tea").tags


@pytest.mark.parametrize(
    ("cls", "fields"),
    [
        ("Item", {"price": 1}),
        ("Coordinates", {"lat": 1.0}),
        ("Box", {}),
        ("Packet", {"note": "a"}),
        ("Sealed", {"items": []}),
        ("Order", {}),
        ("Point", {"y": 1}),
    ],
)
def test_a_field_without_a_default_must_be_there(codec: Codec, cls: str, fields: Any) -> None:
    with pytest.raises(DeserializationError, match=f"cannot make a {cls}"):
        read(codec, {"$object": f"{SHOP}:{cls}", "fields": fields})


@pytest.mark.parametrize(
    ("cls", "fields"),
    [
        ("Item", {"name": "a"}),
        ("Coordinates", {"lat": 1.0, "lon": 1.0}),
        ("Box", {"width": 1}),
        ("Stamp", {"text": "a"}),
        ("Packet", {"size": 1}),
        ("Order", {"number": 1}),
        ("Point", {"x": 1}),
        ("Slotted", {}),
    ],
)
def test_a_field_that_is_not_known_is_an_error(codec: Codec, cls: str, fields: Any) -> None:
    assert read(codec, {"$object": f"{SHOP}:{cls}", "fields": fields})
    with pytest.raises(DeserializationError, match=f"cannot make a {cls}"):
        read(codec, {"$object": f"{SHOP}:{cls}", "fields": {**fields, "unknown": 1}})


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"vars": {}},
        {"fields": []},
        {"fields": None},
        {"fields": {"name": "a"}, "vars": 7},
        {"fields": {"name": "a"}, "private": {}},
        {"fields": {"name": "a"}, "more": {}},
    ],
)
def test_sections_must_be_those_of_the_class(codec: Codec, sections: Any) -> None:
    with pytest.raises(DeserializationError):
        read(codec, {"$object": f"{SHOP}:Item", **sections})


def test_a_field_that_is_not_set_is_noticed_when_it_is_written(codec: Codec) -> None:
    item = shop.Item("tea")
    del item.name
    with pytest.raises(NotSerializable, match="its field name is not set"):
        written(codec, item)
    parcel = shop.Parcel(1)
    del parcel.label
    assert not hasattr(back(codec, parcel), "label")


def test_a_model_that_was_made_without_its_fields_is_noticed(codec: Codec) -> None:
    with pytest.raises(NotSerializable, match="its field number is missing and has no default"):
        written(codec, shop.Order.model_construct())


def test_attributes_beside_the_fields_of_a_struct_or_tuple_are_refused(codec: Codec) -> None:
    bag = shop.Bag(1)
    assert back(codec, bag) == bag
    vars(bag)["more"] = 2
    pair = shop.Pair(1, 2)
    assert back(codec, pair) == pair
    pair.more = 3
    for value in (bag, pair):
        with pytest.raises(NotSerializable, match="it has attributes beside its fields, more"):
            written(codec, value)


def test_an_attribute_that_hides_a_method_is_refused(codec: Codec) -> None:
    cart = shop.Cart("ann", [])
    cart.check_out = lambda code="": ("", "")  # type: ignore[method-assign]  # that is the point
    with pytest.raises(NotSerializable, match="its attribute check_out hides the method of its class"):
        written(codec, cart)


def test_what_is_not_allowed_is_not_written(strict: Codec) -> None:
    with pytest.raises(NotAllowed):
        strict.dump(Call(shop.welcome, None, (shop.Item("tea"),)))


@dataclass
class Plugin:
    """A field whose default is a function, and one that is kept elsewhere."""

    run: Any = len
    level: int = field(default=1)


class Temperature:
    """A data descriptor that keeps its value under another name."""

    def __set__(self, instance: Any, value: int) -> None:
        instance._degrees = value

    def __get__(self, instance: Any, owner: type) -> Any:
        return 20 if instance is None else instance._degrees


@dataclass
class Oven:
    degrees: Temperature = Temperature()


def test_fields_may_be_functions_and_descriptors() -> None:
    codec = Codec(Allowed([__name__, SHOP]))
    assert back(codec, Plugin(shop.greet)) == Plugin(shop.greet)
    oven = Oven()
    oven.degrees = 180
    assert back(codec, oven) == oven
    assert back(codec, oven).degrees == 180


def test_an_object_may_be_the_target_of_a_call(codec: Codec) -> None:
    call = codec.load(codec.dump(Call(shop.Cart("ann", []), "check_out", ("code",))))
    assert call.perform() == ("ann", "code")
    call = codec.load(codec.dump(Call(shop.Colour.RED, "mix")))
    assert call.perform() == "mixed red"
