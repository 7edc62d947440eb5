"""How a handler says that its job is to have a process of its own."""

from __future__ import annotations

import pytest

from backburner.core.codec import Codec
from backburner.core.errors import DeserializationError
from backburner.core.isolation import isolation_of, with_isolation, without_isolation
from backburner.core.payload import Call
from tests.core import shop

ISOLATED = '{"v":1,"isolation":"process","call":{"function":"shop:send"}}'
BARE = '{"v":1,"call":{"function":"shop:send"}}'


def test_a_handler_says_it_beside_the_payload() -> None:
    assert with_isolation(BARE, "process") == ISOLATED
    assert without_isolation(ISOLATED) == BARE
    assert with_isolation(ISOLATED, None) == BARE
    assert with_isolation(ISOLATED, "none") == ISOLATED.replace("process", "none")
    assert without_isolation(BARE) == BARE


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (ISOLATED, "process"),
        (ISOLATED.replace("process", "none"), "none"),
        (BARE, None),
        ('{ "call": {"function": "shop:send"}, "isolation": "process", "v": 1 }', "process"),
        ('{"v":1,"call":{"function":"shop:send","args":["\\"isolation\\":\\"process\\""]}}', None),
        ('{"v":1,"call":{"function":"shop:send","kwargs":{"isolation":"process"}}}', None),
        ('{"v":1,"isolation":"unheard of","call":{}}', None),
        ('{"v":1,"isolation":["process"],"call":{}}', None),
        ('["isolation"]', None),
        ('"isolation"', None),
        ('no JSON with an "isolation"', None),
        ("[" * 100_000 + '"isolation"', None),
    ],
)
def test_what_is_said_is_read_from_any_handler(handler: str, expected: str | None) -> None:
    assert isolation_of(handler) == expected


@pytest.mark.parametrize("payload", [Call(shop.fetch, None, ("url",)), shop.Mailing("ann")])
def test_an_isolated_payload_is_read_as_ever(codec: Codec, payload: object) -> None:
    assert codec.load(with_isolation(codec.dump(payload), "process")) == payload


def test_nothing_else_may_stand_there(codec: Codec) -> None:
    with pytest.raises(DeserializationError, match="expected v and call, or v and object"):
        codec.load(BARE.replace('"call"', '"other":1,"call"'))
