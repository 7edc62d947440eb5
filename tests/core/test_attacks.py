"""Handlers written by an attacker who can write to the database, and knows the sample application.

That application allows its own two modules. Each attack must end in an error, before any code of its choice has run.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from backburner.core.allow import Allowed
from backburner.core.codec import Codec
from backburner.core.errors import DeserializationError, NotAllowed, UnknownJob
from tests.core import models, shop
from tests.core.conftest import MODELS, SHOP

REFUSED = (NotAllowed, DeserializationError, UnknownJob)


def attack(call: Any, *, allow: tuple[str, ...] = (SHOP, MODELS)) -> None:
    with pytest.raises(REFUSED):
        Codec(Allowed(allow)).load(json.dumps({"v": 1, "call": call}))
    assert shop.calls == [], "something of the application ran"


def attack_with_value(value: Any) -> None:
    attack({"function": f"{SHOP}:everything", "args": [value]})
    attack({"function": f"{SHOP}:everything", "kwargs": {"x": [{"y": value}]}})


@pytest.mark.parametrize(
    "name",
    [
        "os:system",
        "builtins:eval",
        "builtins:exec",
        "builtins:__import__",
        "subprocess:run",
        "pickle:loads",
        "importlib:import_module",
        "backburner.core.naming:find",
        "tests.core.conftest:codec",
        f"{SHOP}:subprocess.run",
        f"{SHOP}:os.system",
        f"{SHOP}:pickle.loads",
        f"{SHOP}:run_program",
        f"{SHOP}:load_anything",
        f"{SHOP}:double",
        f"{SHOP}:Cart",
        f"{SHOP}:Worker",
        f"{SHOP}:Worker.program",
        f"{SHOP}:Worker.run_program",
        f"{SHOP}:Worker.system",
        f"{SHOP}:Worker.loads",
        f"{SHOP}:Worker.spawn",
        f"{SHOP}:Worker._bootstrap",
        f"{SHOP}:Form.parse_raw",
        f"{SHOP}:Form.ours",
        f"{SHOP}:Cart.__init__",
        f"{SHOP}:Cart.__class__",
        f"{SHOP}:Cart.mro",
        f"{SHOP}:Cart.total",
        f"{SHOP}:Cart.total.fget",
        f"{SHOP}:Cart.check_out.__globals__",
        f"{SHOP}:greet.__globals__",
        f"{SHOP}:greet.__code__",
        f"{SHOP}:welcome.__wrapped__",
        f"{SHOP}:__builtins__.eval",
        f"{SHOP}:__loader__.load_module",
        f"{SHOP}:Colour.RED",
        f"{SHOP}:Colour.RED.mix",
        f"{SHOP}:calls.append",
        f"{SHOP}:Tempting.whatever",
        f"{SHOP}:Tempting.descriptor",
        f"{SHOP}:attrs.define",
        f"{SHOP}:dataclass",
        f"{SHOP}:field",
        f"{SHOP}:Any",
        f"{SHOP}:MISSING",
        "__main__:main",
        "__main__:__builtins__",
        f"{SHOP}.__init__:x",
        f"{SHOP}:",
        f"{SHOP}",
        f"{SHOP}:greet:run",
        f" {SHOP}:greet",
        f"{SHOP}:greet\x00",
    ],
)
def test_functions_that_may_not_be_called(name: str) -> None:
    attack({"function": name, "args": ["touch /tmp/pwned"]})
    attack_with_value({"$function": name})


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        ({"$module": "os"}, "system"),
        ({"$module": "builtins"}, "eval"),
        ({"$module": SHOP}, "run_program"),
        ({"$module": SHOP}, "load_anything"),
        ({"$module": SHOP}, "Cart"),
        ({"$module": SHOP}, "os"),
        ({"$module": SHOP}, "__import__"),
        ({"$module": SHOP}, "__getattr__"),
        ({"$module": f"{SHOP}.os"}, "system"),
        ({"$module": f"{SHOP}:os"}, "system"),
        ({"$class": "subprocess:Popen"}, "communicate"),
        ({"$class": "builtins:type"}, "mro"),
        ({"$class": "builtins:object"}, "__subclasses__"),
        ({"$class": f"{SHOP}:Worker.program"}, "communicate"),
        ({"$class": f"{SHOP}:Cart"}, "mro"),
        ({"$class": f"{SHOP}:Cart"}, "__subclasses__"),
        ({"$class": f"{SHOP}:Cart"}, "__init_subclass__"),
        ({"$class": f"{SHOP}:Cart"}, "__new__"),
        ({"$class": f"{SHOP}:Cart"}, "__call__"),
        ({"$class": f"{SHOP}:Cart"}, ""),
        ({"$class": f"{SHOP}:Cart"}, "check_out.__globals__"),
        ({"$class": f"{SHOP}:Worker"}, "system"),
        ({"$class": f"{SHOP}:Worker"}, "loads"),
        ({"$class": f"{SHOP}:Worker"}, "run_program"),
        ({"$class": f"{SHOP}:Worker"}, "program"),
        ({"$class": f"{SHOP}:Worker"}, "spawn"),
        ({"$class": f"{SHOP}:Worker"}, "start"),
        ({"$class": f"{SHOP}:Form"}, "parse_raw"),
        ({"$class": f"{SHOP}:Form"}, "model_validate"),
        ({"$class": f"{SHOP}:Colour"}, "_missing_"),
        ({"$class": f"{SHOP}:Size"}, "from_bytes"),
        ({"$class": f"{SHOP}:Point"}, "_make"),
        ({"$class": f"{SHOP}:Outer"}, "Inner"),
        ({"$class": f"{SHOP}:Outer"}, "Error"),
        ({"$class": f"{SHOP}:Tempting"}, "prop"),
        ({"$class": f"{SHOP}:Tempting"}, "descriptor"),
        ({"$class": f"{SHOP}:Tempting"}, "anything"),
        ({"$class": f"{MODELS}:User"}, "__job_load__"),
        ({"$class": f"{SHOP}:greet"}, "__call__"),
        ({"$object": f"{SHOP}:Cart", "fields": {}}, "__reduce_ex__"),
        ({"$object": f"{SHOP}:Cart", "fields": {}}, "total"),
        ({"$object": f"{SHOP}:Tempting", "fields": {}}, "prop"),
        ({"$object": f"{SHOP}:Tempting", "fields": {}}, "descriptor"),
        ({"$object": f"{SHOP}:Tempting", "fields": {}}, "anything"),
        ({"$object": f"{SHOP}:Cart", "fields": {"check_out": {"$function": f"{SHOP}:greet"}}}, "check_out"),
        ({"$object": f"{SHOP}:Cart", "fields": {"mine": {"$function": f"{SHOP}:greet"}}}, "mine"),
        ({"$object": f"{SHOP}:Worker", "fields": {"_target": {"$function": f"{SHOP}:greet"}}}, "run"),
        ({"$object": f"{SHOP}:Worker", "fields": {}}, "start"),
        ({"$object": f"{SHOP}:Item", "fields": {"name": "a"}, "vars": {"use": 1}}, "use"),
        ({"$enum": f"{SHOP}:Mood", "name": "GOOD"}, "format"),
        ({"$enum": f"{SHOP}:Colour", "name": "RED"}, "_generate_next_value_"),
        ({"$tuple": []}, "count"),
        ("text", "format"),
        ([], "append"),
        ({"$function": f"{SHOP}:greet"}, "__call__"),
    ],
)
def test_methods_that_may_not_be_called(owner: Any, method: str) -> None:
    attack({"on": owner, "method": method, "args": ["touch /tmp/pwned"]})


@pytest.mark.parametrize(
    "value",
    [
        {"$class": "builtins:object"},
        {"$class": "subprocess:Popen"},
        {"$class": f"{SHOP}:Worker.program"},
        {"$class": f"{SHOP}:Cart.__class__"},
        {"$module": "os"},
        {"$module": "builtins"},
        {"$module": "tests"},
        {"$object": "subprocess:Popen", "fields": {"args": "id"}},
        {"$object": "builtins:object", "fields": {}},
        {"$object": "builtins:type", "fields": {}},
        {"$object": "threading:Thread", "fields": {"_target": {"$function": f"{SHOP}:greet"}}},
        {"$object": "types:FunctionType", "fields": {}},
        {"$object": "argparse:Namespace", "fields": {"a": 1}},
        {"$object": f"{SHOP}:Worker.program", "fields": {}},
        {"$object": f"{SHOP}:Cart", "fields": {"__class__": {"$class": f"{SHOP}:Tool"}}},
        {"$object": f"{SHOP}:Cart", "fields": {"__dict__": {}}},
        {"$object": f"{SHOP}:Cart", "fields": {"total": 7}},
        {"$object": f"{SHOP}:Cart", "fields": {"lock": 7}},
        {"$object": f"{SHOP}:Item", "fields": {"name": "a"}, "vars": {"__class__": {"$class": f"{SHOP}:Tool"}}},
        {"$object": f"{SHOP}:Slotted", "fields": {"__class__": 1}},
        {"$object": f"{SHOP}:Packet", "fields": {"size": 1, "__class__": 1}},
        {"$object": f"{SHOP}:Form", "fields": {"__class__": 1}},
        {"$object": f"{SHOP}:Form", "fields": {}, "extra": 7},
        {"$object": f"{SHOP}:Descriptors", "fields": {}, "self": 1},
        {"$object": f"{SHOP}:Guarded", "fields": {"path": "/etc/passwd"}},
        {"$object": f"{SHOP}:Outer.Error", "fields": {"args": [1]}},
        {"$object": f"{SHOP}:Colour", "fields": {"_value_": "blue"}},
        {"$object": f"{MODELS}:User", "fields": {"id": 1, "is_admin": True}},
        {"$record": f"{MODELS}:Model.__class__", "key": 1},
        {"$record": "builtins:dict", "key": 1},
        {"$enum": "re:RegexFlag", "name": "__class__"},
        {"$enum": f"{SHOP}:Colour", "name": "__class__"},
        {"$enum": f"{SHOP}:Colour", "name": "mix"},
        {"$datetime": "2026-01-01T00:00:00[/etc/passwd]"},
    ],
)
def test_values_that_may_not_be_made(value: Any) -> None:
    attack_with_value(value)


def test_only_marked_methods_of_a_class_that_is_not_allowed() -> None:
    device = {"$object": f"{SHOP}:Device", "fields": {"number": 1}}
    for method in ("explode", "__init__"):
        attack({"on": device, "method": method}, allow=())
    attack({"function": f"{SHOP}:welcome", "args": [device]}, allow=())
    call = Codec(Allowed()).load(json.dumps({"v": 1, "call": {"on": device, "method": "deliver", "args": [2]}}))
    assert call.perform() == (1, 2)


def test_a_record_is_not_asked_for_before_its_class_and_method_are_known_to_be_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never(cls: type, key: Any) -> None:
        raise AssertionError("asked for")

    monkeypatch.setattr(models.Model, "__job_load__", classmethod(never))
    record = {"$record": f"{MODELS}:Invoice", "key": 1}
    attack({"on": record, "method": "send"}, allow=())
    attack({"on": record, "method": "nothing"})
    attack({"function": "os:system", "args": [record]})
    attack({"function": f"{SHOP}:welcome", "args": [record]}, allow=())


def test_nothing_is_imported_outside_of_the_prefixes() -> None:
    for name in ("antigravity", "tabnanny", "this"):
        attack({"function": f"{name}:x"})
        attack({"on": {"$module": name}, "method": "x"})
        attack_with_value({"$enum": f"{name}:X", "name": "Y"})
        assert name not in sys.modules


def test_an_allowed_call_is_performed_all_the_same() -> None:
    codec = Codec(Allowed([SHOP]))
    body = {"v": 1, "call": {"function": f"{SHOP}:greet", "args": ["Ann"], "kwargs": {"loud": True}}}
    assert codec.load(json.dumps(body)).perform() == "HELLO ANN"
