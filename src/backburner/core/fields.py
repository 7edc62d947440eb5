"""Which fields a class declares: a dataclass, an attrs class, a msgspec.Struct, a pydantic model, a named tuple.

The libraries are recognised by what they leave on the class; none is imported here.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple


def is_named_tuple(cls: type) -> bool:
    """Say whether this class is a named tuple."""
    return issubclass(cls, tuple) and isinstance(getattr(cls, "_fields", None), tuple)


def is_struct(cls: type) -> bool:
    """Say whether this class is a msgspec.Struct."""
    return hasattr(cls, "__struct_fields__") and hasattr(cls, "__struct_config__")


def is_model(cls: type) -> bool:
    """Say whether this class is a pydantic model (of version 2)."""
    return hasattr(cls, "__pydantic_decorators__") and hasattr(cls, "__pydantic_fields_set__")


def is_attrs(cls: type) -> bool:
    """Say whether this class was made by attrs."""
    return hasattr(cls, "__attrs_attrs__")


@lru_cache(maxsize=1024)
def declared_fields(cls: type) -> tuple[str, ...]:
    """Return the names of the declared fields of a class; none for a plain class."""
    described: Any = cls
    if is_named_tuple(cls):
        return tuple(described._fields)
    if is_struct(cls):
        return tuple(described.__struct_fields__)
    if is_model(cls):
        return tuple(described.model_fields)
    if is_attrs(cls):
        return tuple(attribute.name for attribute in described.__attrs_attrs__)
    if dataclasses.is_dataclass(cls):
        return tuple(field.name for field in dataclasses.fields(cls))
    return ()


class Default(NamedTuple):
    """What a declared field is given when a state does not have it."""

    make: Callable[[Any], Any] | None
    """Makes the value for an object; None when the field has no default."""
    required: bool
    """Whether the field must be there."""


def defaults_of(cls: Any) -> dict[str, Default] | None:
    """Return the declared fields of an attrs class or a dataclass; None for a plain class."""
    if is_attrs(cls):
        return {field.name: _default_of_attribute(field) for field in cls.__attrs_attrs__}
    if dataclasses.is_dataclass(cls):
        return {field.name: _default_of_field(field) for field in dataclasses.fields(cls)}
    return None


def _default_of_field(field: dataclasses.Field[Any]) -> Default:
    value, factory = field.default, field.default_factory
    if value is not dataclasses.MISSING:
        return Default(lambda _: value, False)
    if factory is not dataclasses.MISSING:
        return Default(lambda _: factory(), False)
    return Default(None, field.init)


def _default_of_attribute(attribute: Any) -> Default:
    attrs: Any = sys.modules["attr"]
    default = attribute.default
    if default is attrs.NOTHING:
        return Default(None, attribute.init)
    if isinstance(default, attrs.Factory):
        return Default(lambda value: default.factory(value) if default.takes_self else default.factory(), False)
    return Default(lambda _: default, False)
