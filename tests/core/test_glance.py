"""What a handler says at a glance, and which code is async."""

from __future__ import annotations

from typing import Any

import pytest

from backburner.core.codec import Codec
from backburner.core.errors import BackburnerError
from backburner.core.glance import Glance, glance
from backburner.core.payload import Call
from tests.core import models, shop
from tests.core.conftest import MODELS, SHOP


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (Call(shop.fetch, None, ("url",)), Glance(f"{SHOP}:fetch", None, False)),
        (Call(shop, "fetch", ("url",)), Glance(SHOP, "fetch", False)),
        (Call(shop.Tool, "make"), Glance(f"{SHOP}:Tool", "make", False)),
        (Call(shop.Tool(), "use"), Glance(f"{SHOP}:Tool", "use", False)),
        (Call(models.User(7), "activate", ("code",)), Glance(f"{MODELS}:User", "activate", True)),
        (Call(shop.everything, None, ([models.User(7)],)), Glance(f"{SHOP}:everything", None, True)),
        (shop.Mailing("ann"), Glance(f"{SHOP}:Mailing", "perform", False)),
        (shop.Mailing(models.User(7)), Glance(f"{SHOP}:Mailing", "perform", True)),
    ],
)
def test_a_handler_names_its_code(codec: Codec, payload: Any, expected: Glance) -> None:
    assert glance(codec.dump(payload)) == expected


@pytest.mark.parametrize(
    "handler",
    [
        "",
        "no JSON",
        "null",
        "1",
        '"call"',
        "[]",
        "{}",
        '{"call":{}}',
        '{"call":[]}',
        '{"call":{"function":1}}',
        '{"call":{"function":["a"]}}',
        '{"call":{"on":{},"method":"x"}}',
        '{"call":{"on":[],"method":"x"}}',
        '{"call":{"on":{"$record":"a:b"}}}',
        '{"call":{"on":{"$record":{}},"method":"x"}}',
        '{"object":{}}',
        '{"object":null}',
        '{"object":{"$object":null}}',
        "[" * 100_000,
    ],
)
def test_what_cannot_be_read_says_nothing(handler: str) -> None:
    assert glance(handler) is None


@pytest.mark.parametrize(
    ("code", "method", "is_async"),
    [
        (f"{SHOP}:fetch", None, True),
        (f"{SHOP}:greet", None, False),
        (f"{SHOP}:welcome", None, False),
        (f"{SHOP}:charge", None, False),
        (f"{SHOP}:double", None, False),
        (SHOP, "fetch", True),
        (SHOP, "greet", False),
        (f"{SHOP}:Mail", "later", True),
        (f"{SHOP}:Mail", "hello", False),
        (f"{SHOP}:Device", "deliver", False),
        (f"{SHOP}:Mailing", "perform", False),
        (f"{SHOP}:Worker", "twice", False),
        (f"{SHOP}:Cart", "not_there", False),
        (f"{SHOP}:Tempting", "prop", False),
        (f"{SHOP}:Tempting", "descriptor", False),
    ],
)
def test_code_is_async_when_what_is_called_is_a_coroutine_function(
    codec: Codec, code: str, method: str | None, is_async: bool
) -> None:
    assert codec.is_async(code, method) is is_async
    assert shop.calls == [], "nobody was asked, and nothing was run"


@pytest.mark.parametrize("code", [f"{SHOP}:not_there", "tests.core.not_there", "tests.core.not_there:x", "", ":"])
def test_code_that_is_not_here_is_refused_as_its_job_would_be(codec: Codec, code: str) -> None:
    with pytest.raises(BackburnerError):
        codec.is_async(code, None if ":" in code else "x")
