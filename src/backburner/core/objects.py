"""Objects by value: which state of an object is written, and how an object is made of it again.

A shape gives the state of an object in sections, mappings of names to values. Objects come back without their
`__init__` and `__post_init__`, whose effects are part of the state; only a msgspec.Struct insists on its constructor.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from types import MemberDescriptorType
from typing import Any

from backburner.core.fields import defaults_of, is_model, is_named_tuple, is_struct
from backburner.core.members import MISSING, find_member, is_method
from backburner.core.shapes import FIELDS, VARS, ModelShape, NamedTupleShape, NoShape, Sections, Shape, StructShape

_CACHED_HASH = "_attrs_cached_hash"


@lru_cache(maxsize=1024)
def shape_of(cls: type) -> Shape:
    """Return the shape of a class; raises NoShape when its objects cannot be written by value."""
    if (reason := _unfit(cls)) is not None:
        raise NoShape(reason)
    if is_named_tuple(cls):
        return NamedTupleShape(cls)
    if is_struct(cls):
        return StructShape(cls)
    if is_model(cls):
        return ModelShape(cls)
    return _PythonShape(cls)


def _unfit(cls: type) -> str | None:
    if issubclass(cls, BaseException):
        return "it is an exception: pass its text"
    if issubclass(cls, (type, Enum)):
        return "it is not an object of its own"
    if find_member(cls, "__del__") is not MISSING:
        return "its class has a __del__, so it holds more than data"
    if is_named_tuple(cls) or is_struct(cls):
        return None
    try:
        object.__new__(cls)
    except TypeError:
        return "it holds more than attributes"
    return None


class _PythonShape:
    """Dataclasses, attrs classes and plain classes: the attributes in `__dict__` and in slots."""

    names = frozenset({FIELDS, VARS})

    def __init__(self, cls: type) -> None:
        self._cls = cls
        self._declared = defaults_of(cls)
        self._slots = _slots(cls)

    def state(self, value: Any) -> Sections:
        held = {name: slot.__get__(value) for name, slot in self._slots.items() if _is_set(slot, value)}
        held.update((name, item) for name, item in getattr(value, "__dict__", {}).items() if self._is_state(name))
        if _CACHED_HASH in held:
            held[_CACHED_HASH] = None  # another process hashes differently
        if self._declared is None:
            return {FIELDS: held}
        for name, default in self._declared.items():
            if default.required and name not in held and not self._is_computed(name):
                raise NoShape(f"its field {name} is not set")
        fields = {name: held.pop(name) for name in self._declared if name in held}
        return {FIELDS: fields, VARS: held}

    def build(self, sections: Sections) -> Any:
        fields, others = sections[FIELDS], sections.get(VARS, {})
        value: Any = object.__new__(self._cls)
        for name, item in fields.items():
            if self._declared is not None and name not in self._declared:
                raise NoShape(f"its class has no field {name}")
            self._place(value, name, item)
        for name, item in others.items():
            self._place(value, name, item)
        self._fill(value, fields)
        return value

    def _fill(self, value: Any, given: Mapping[str, Any]) -> None:
        for name, default in (self._declared or {}).items():
            if name in given or self._is_computed(name):
                continue
            if default.make is not None:
                self._place(value, name, default.make(value))
            elif default.required:
                raise NoShape(f"its field {name} is missing and has no default")

    def _place(self, value: Any, name: str, item: Any) -> None:
        if name in self._slots:
            self._slots[name].__set__(value, item)
        elif self._is_state(name) and hasattr(value, "__dict__"):
            value.__dict__[name] = item
        else:
            raise NoShape(f"its class has no place for {name}")

    def _is_state(self, name: str) -> bool:
        """Say whether an entry of `__dict__` belongs to the state: no cache of a property, nothing of Python's own."""
        if self._declared is not None and name in self._declared:
            return True
        member = find_member(self._cls, name)
        if is_method(member):
            raise NoShape(f"its attribute {name} hides the method of its class")
        return not name.startswith("__") and (member is MISSING or not hasattr(type(member), "__get__"))

    def _is_computed(self, name: str) -> bool:
        """Say whether a descriptor of the class keeps this field elsewhere."""
        member = find_member(self._cls, name)
        return name not in self._slots and hasattr(type(member), "__set__")


def _slots(cls: type) -> dict[str, MemberDescriptorType]:
    members = [item for base in reversed(cls.__mro__) for item in vars(base).items() if not item[0].startswith("__")]
    return {name: slot for name, slot in members if isinstance(slot, MemberDescriptorType)}


def _is_set(slot: MemberDescriptorType, value: Any) -> bool:
    try:
        slot.__get__(value)
    except AttributeError:
        return False
    return True
