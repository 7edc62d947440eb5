"""Records: written by class and key, read again when the job is performed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import pytest

from backburner.core.allow import Allowed
from backburner.core.codec import Codec
from backburner.core.errors import (
    DeserializationError,
    NotAllowed,
    RecordMissing,
    StoreUnavailable,
    UnknownJob,
    UnsavedRecord,
)
from backburner.core.payload import Call
from tests.core import shop
from tests.core.conftest import MODELS, SHOP
from tests.core.models import Broken, Invoice, Offline, User


def written(codec: Codec, record: Any) -> Any:
    return json.loads(codec.dump(Call(shop.everything, None, (record,))))["call"]["args"][0]


def shown(**attributes: Any) -> Any:
    codec = Codec(Allowed([SHOP, MODELS]))
    return written(codec, User(7, **attributes))["attributes"]


def test_a_record_is_written_by_its_class_and_key(strict: Codec) -> None:
    user = User(7, name="Ann", email="ann@example.com").save()
    handler = strict.dump(Call(user, "activate", ("code",)))
    assert json.loads(handler) == {
        "v": 1,
        "call": {
            "on": {
                "$record": f"{MODELS}:User",
                "key": 7,
                "attributes": {"id": 7, "name": "Ann", "email": "ann@example.com"},
            },
            "method": "activate",
            "args": ["code"],
        },
    }


def test_a_record_is_read_again(strict: Codec) -> None:
    handler = strict.dump(Call(User(7, name="Ann").save(), "activate", ("code",)))
    changed = User(7, name="Bob").save()
    call = strict.load(handler)
    assert call.target is changed
    assert call.perform() == (7, "code")


def test_records_may_be_arguments(codec: Codec) -> None:
    user = User("u1").save()
    call = codec.load(codec.dump(Call(shop.everything, None, ([user],), {"x": shop.Mailing(user)})))
    assert call.args[0][0] is user
    assert call.kwargs["x"].user is user


@pytest.mark.parametrize("key", [1, "text", (1, "a"), UUID(int=1), date(2026, 1, 1), Decimal("1.0"), b"key"])
def test_a_key_may_be_of_any_type_that_a_handler_can_hold(codec: Codec, key: Any) -> None:
    user = User(key).save()
    assert codec.load(codec.dump(Call(user, "activate", ("a",)))).target is user


def test_a_record_without_a_key_is_refused(codec: Codec) -> None:
    with pytest.raises(UnsavedRecord, match="this User has no key: save it before"):
        codec.dump(Call(User(None), "activate", ("a",)))


def test_a_record_that_is_gone_is_missing(codec: Codec) -> None:
    handler = codec.dump(Call(User(7), "activate", ("a",)))
    with pytest.raises(RecordMissing, match="the User with the key 7 is gone"):
        codec.load(handler)


def test_a_record_is_not_read_without_a_key(codec: Codec) -> None:
    body = {"v": 1, "call": {"on": {"$record": f"{MODELS}:User"}, "method": "activate"}}
    with pytest.raises(DeserializationError, match="expected the key of a User"):
        codec.load(json.dumps(body))


def test_what_the_database_raises_passes_through(codec: Codec) -> None:
    handler = codec.dump(Call(shop.everything, None, (Offline(7),)))
    with pytest.raises(ConnectionError, match="the database is away"):
        codec.load(handler)


def test_an_error_of_ours_passes_through_too(codec: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(cls: type, key: Any) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(User, "__job_load__", classmethod(away))
    handler = codec.dump(Call(User(7), "activate", ("a",)))
    with pytest.raises(StoreUnavailable):
        codec.load(handler)


def test_a_record_class_must_be_allowed(strict: Codec, codec: Codec) -> None:
    invoice = Invoice(7).save()
    with pytest.raises(NotAllowed, match="Invoice"):
        strict.dump(Call(invoice, "send"))
    with pytest.raises(NotAllowed, match="Invoice"):
        strict.dump(Call(shop.welcome, None, (invoice,)))
    with pytest.raises(NotAllowed, match="Invoice"):
        strict.load(codec.dump(Call(invoice, "send")))


def test_a_record_is_never_made_by_value(codec: Codec) -> None:
    forged = {"$object": f"{MODELS}:User", "fields": {"id": 7, "is_admin": True}}
    for call in (
        {"function": f"{SHOP}:everything", "args": [forged]},
        {"on": forged, "method": "activate", "args": ["a"]},
    ):
        with pytest.raises(DeserializationError, match="User is a record"):
            codec.load(json.dumps({"v": 1, "call": call}))


def test_a_class_that_is_no_record_here_is_an_unknown_job(codec: Codec) -> None:
    body = {"v": 1, "call": {"function": f"{SHOP}:everything", "args": [{"$record": f"{SHOP}:Cart", "key": 1}]}}
    with pytest.raises(UnknownJob, match="Cart is not known as a record here"):
        codec.load(json.dumps(body))


def test_attributes_are_shown_unless_they_are_secret(codec: Codec) -> None:
    user = User(7, name="Ann", api_key="x", _internal="x", birthday="x", monkey="see")
    assert written(codec, user)["attributes"] == {"id": 7, "name": "Ann", "monkey": "see"}


def test_a_record_may_choose_what_is_shown(codec: Codec) -> None:
    assert written(codec, Invoice(7, name="x"))["attributes"] == {"number": 7, "shown": True}


def test_no_attributes_are_shown_when_that_is_switched_off() -> None:
    codec = Codec(Allowed([SHOP, MODELS]), record_attributes=False)
    assert written(codec, User(7, name="Ann")) == {"$record": f"{MODELS}:User", "key": 7}


def test_attributes_that_cannot_be_had_refuse_no_job(codec: Codec) -> None:
    assert written(codec, Broken(7)) == {"$record": f"{MODELS}:Broken", "key": 7, "attributes": {}}


class Nasty:
    def __repr__(self) -> str:
        raise RuntimeError


def test_attributes_have_a_simple_form() -> None:
    assert shown(
        text="t",
        number=1,
        share=0.5,
        none=None,
        yes=True,
        when=datetime(2026, 1, 1, tzinfo=UTC),
        day=date(2026, 1, 1),
        wait=timedelta(seconds=90),
        price=Decimal("1.10"),
        uid=UUID(int=1),
        path=PurePosixPath("a/b"),
        colour=shop.Colour.RED,
        rights=shop.Right.READ | shop.Right.ADMIN,
        data=b"\x00\x01",
        items=[1, (2, {"a": {3}})],
        nothing=float("nan"),
        mood=shop.Mood.GOOD,
    ) == {
        "id": 7,
        "text": "t",
        "number": 1,
        "share": 0.5,
        "none": None,
        "yes": True,
        "when": "2026-01-01T00:00:00+00:00",
        "day": "2026-01-01",
        "wait": "0:01:30",
        "price": "1.10",
        "uid": "00000000-0000-0000-0000-000000000001",
        "path": "a/b",
        "colour": "RED",
        "rights": "READ|ADMIN",
        "data": "2 bytes",
        "items": [1, [2, {"a": [3]}]],
        "nothing": "nan",
        "mood": "GOOD",
    }


def test_attributes_without_a_simple_form_are_left_out() -> None:
    ring: dict[str, Any] = {}
    ring["ring"] = ring
    assert shown(thing=object(), nasty=Nasty(), many=[object()], function=len, big=10**5000, cls=int) == {"id": 7}
    assert shown(ring=ring)["ring"] == {"ring": {"ring": {"ring": {}}}}


def test_secrets_in_nested_attributes_are_left_out() -> None:
    assert shown(config={"user": "ann", "password": "x"}, more=[{"token": 1}])["config"] == {"user": "ann"}


def test_long_attributes_are_cut() -> None:
    assert len(shown(text="x" * 100_000)["text"]) < 1100
    assert len(shown(items=list(range(100_000)))["items"]) <= 100
    assert len(shown(**{f"name{i}": i for i in range(1000)})) <= 100


def test_half_surrogates_in_attributes_are_replaced() -> None:
    assert shown(text="a\ud800\ud83d\ude00") == {"id": 7, "text": "a???"}


def test_other_records_are_shown_by_their_keys() -> None:
    friend = User(8, name="Bob")
    assert shown(friend=friend, friends=[friend], nobody=User(None)) == {
        "id": 7,
        "friend": {"$record": f"{MODELS}:User", "key": 8},
        "friends": [{"$record": f"{MODELS}:User", "key": 8}],
    }


class Row:
    """A record of some library."""

    def __init__(self, number: int) -> None:
        self.number = number

    def touch(self) -> int:
        return self.number


class Rows:
    """The kind of that library's records."""

    def __init__(self) -> None:
        self.table = {1: Row(1)}

    def recognises(self, cls: type) -> bool:
        return issubclass(cls, Row)

    def key(self, record: Row) -> Any:
        return {"number": record.number}

    def attributes(self, record: Row) -> Mapping[str, Any]:
        return {"seen": True}

    def load(self, cls: type, key: Any) -> Any:
        return self.table.get(key["number"])


def test_a_library_brings_its_own_kind_of_records() -> None:
    rows = Rows()
    codec = Codec(Allowed([__name__]), records=[rows])
    handler = codec.dump(Call(rows.table[1], "touch"))
    assert json.loads(handler)["call"]["on"] == {
        "$record": f"{__name__}:Row",
        "key": {"number": 1},
        "attributes": {"seen": True},
    }
    assert codec.load(handler).target is rows.table[1]
    with pytest.raises(UnknownJob, match="is its integration installed"):
        Codec(Allowed([__name__])).load(handler)


def test_a_kind_of_records_may_be_added_later() -> None:
    rows = Rows()
    codec = Codec(Allowed([__name__, SHOP]))
    assert "$object" in written(codec, rows.table[1])
    codec.add_records(rows)
    assert "$record" in written(codec, rows.table[1])
    assert codec.load(codec.dump(Call(rows.table[1], "touch"))).perform() == 1


def test_public_methods_of_bases_from_elsewhere_may_be_called_on_records() -> None:
    class Away(Row):
        pass

    Away.__module__, Row.__module__ = "elsewhere.models", __name__
    codec = Codec(Allowed(["elsewhere"]), records=[Rows()])
    codec.allowed.check_method(Away, "touch", of_record=True)
    with pytest.raises(NotAllowed):
        codec.allowed.check_method(Away, "touch")
