"""What the shapes of objects have in common, and the shapes of classes that libraries make."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol

from backburner.core.members import find_member

Sections = Mapping[str, Mapping[str, Any]]

FIELDS = "fields"
"""What the class declares, or, of a plain class, all attributes."""
VARS = "vars"
"""Attributes that the class does not declare."""
DEFAULTS = "defaults"
"""Fields of a pydantic model that nobody has set."""
EXTRA = "extra"
PRIVATE = "private"


class NoShape(Exception):
    """An object of this class cannot be written, or not be made of this state. The message says why."""


class Shape(Protocol):
    """How objects of one class are written and made again."""

    names: frozenset[str]
    """The sections that there may be."""

    def state(self, value: Any) -> Sections:
        """Return the state of an object; raises NoShape."""

    def build(self, sections: Sections) -> Any:
        """Return a new object of this state; raises NoShape."""


class NamedTupleShape:
    """Named tuples."""

    names: frozenset[str] = frozenset({FIELDS})

    def __init__(self, cls: Any) -> None:
        self._cls = cls

    def state(self, value: Any) -> Sections:
        _refuse_more_than_fields(value)
        return {FIELDS: dict(zip(self._cls._fields, value, strict=True))}

    def build(self, sections: Sections) -> Any:
        given = {**self._cls._field_defaults, **sections[FIELDS]}
        _compare(given, self._cls._fields)
        return tuple.__new__(self._cls, [given[name] for name in self._cls._fields])


class StructShape:
    """Objects of msgspec.Struct, whose constructor cannot be avoided."""

    names: frozenset[str] = frozenset({FIELDS})

    def __init__(self, cls: Any) -> None:
        self._cls = cls

    def state(self, value: Any) -> Sections:
        _refuse_more_than_fields(value)
        return {FIELDS: {name: getattr(value, name) for name in self._cls.__struct_fields__}}

    def build(self, sections: Sections) -> Any:
        fields = sections[FIELDS]
        try:
            value = self._cls(**fields)
        except TypeError as error:
            raise NoShape(str(error)) from error
        for name, item in fields.items():  # what a __post_init__ has changed
            find_member(self._cls, name).__set__(value, item)
        return value


class ModelShape:
    """Models of pydantic, with what they keep beside their fields."""

    names: frozenset[str] = frozenset({FIELDS, DEFAULTS, EXTRA, PRIVATE})

    def __init__(self, cls: Any) -> None:
        self._cls = cls
        self._fields = cls.model_fields
        self._privates = cls.__private_attributes__

    def state(self, value: Any) -> Sections:
        held = {name: item for name, item in value.__dict__.items() if name in self._fields}
        chosen = value.__pydantic_fields_set__
        _refuse_gaps(held, [name for name, field in self._fields.items() if field.is_required()])
        return {
            FIELDS: {name: item for name, item in held.items() if name in chosen},
            DEFAULTS: {name: item for name, item in held.items() if name not in chosen},
            EXTRA: value.__pydantic_extra__ or {},
            PRIVATE: value.__pydantic_private__ or {},
        }

    def build(self, sections: Sections) -> Any:
        chosen, extra = sections[FIELDS], sections.get(EXTRA, {})
        given = {**sections.get(DEFAULTS, {}), **chosen}
        missing = self._fields.keys() - given.keys()
        given |= {name: self._default(name) for name in missing if not self._fields[name].is_required()}
        _compare(given, self._fields)
        value = self._cls.__new__(self._cls)
        object.__setattr__(value, "__dict__", {name: given[name] for name in self._fields})
        object.__setattr__(value, "__pydantic_fields_set__", {*chosen, *extra})
        object.__setattr__(value, "__pydantic_extra__", dict(extra) if self._takes_extra() else None)
        object.__setattr__(value, "__pydantic_private__", self._private(sections.get(PRIVATE, {})))
        return value

    def _default(self, name: str) -> Any:
        return self._fields[name].get_default(call_default_factory=True)

    def _takes_extra(self) -> bool:
        return bool(self._cls.model_config.get("extra") == "allow")

    def _private(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        if not self._privates:
            return None
        pydantic_core: Any = sys.modules["pydantic_core"]
        items = {name: private.get_default() for name, private in self._privates.items()}
        items |= {name: item for name, item in given.items() if name in self._privates}
        return {name: item for name, item in items.items() if item is not pydantic_core.PydanticUndefined}


def _compare(given: Mapping[str, Any], fields: Collection[str]) -> None:
    """Raise NoShape unless the fields that are given are those of the class."""
    for name in given:
        if name not in fields:
            raise NoShape(f"its class has no field {name}")
    _refuse_gaps(given, fields)


def _refuse_gaps(given: Mapping[str, Any], fields: Iterable[str]) -> None:
    for name in fields:
        if name not in given:
            raise NoShape(f"its field {name} is missing and has no default")


def _refuse_more_than_fields(value: Any) -> None:
    if more := getattr(value, "__dict__", None):
        raise NoShape(f"it has attributes beside its fields, {', '.join(more)}")
