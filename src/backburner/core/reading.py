"""Reads values from JSON values. They come from a database that others may write to: nothing in them is trusted.

Code that a value names is found and checked before anything is made of it or asked from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import EnumMeta, Flag
from types import ModuleType
from typing import Any

from backburner.core.allow import Allowed
from backburner.core.errors import BackburnerError, DeserializationError, RecordMissing, UnknownJob
from backburner.core.naming import find, find_module
from backburner.core.objects import shape_of
from backburner.core.records import RecordKind, kind_of
from backburner.core.shapes import DEFAULTS, EXTRA, FIELDS, PRIVATE, VARS, NoShape
from backburner.core.text import message_of, printable
from backburner.core.values import PLAIN, READERS

_OTHER_KEYS = {
    "$path": {"pure"},
    "$enum": {"name", "value"},
    "$object": {FIELDS, VARS, DEFAULTS, EXTRA, PRIVATE},
    "$record": {"key", "attributes"},
}
"""What may stand beside a tag."""


class LoaderFailed(Exception):
    """Reading a record failed: the database did, not the handler."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class Reader:
    """Reads values for one app: by what it allows, and with the kinds of records that it knows."""

    def __init__(self, allowed: Allowed, kinds: Sequence[RecordKind]) -> None:
        self._allowed = allowed
        self._kinds = kinds
        self._readers: dict[str, Callable[..., Any]] = {
            **READERS,
            "$tuple": lambda values: tuple(self.items(values)),
            "$set": lambda values: set(self.items(values)),
            "$frozenset": lambda values: frozenset(self.items(values)),
            "$dict": self._read_dict,
            "$enum": self._read_enum,
            "$function": self.function,
            "$class": self._read_class,
            "$module": self._read_module,
            "$object": self._read_object,
            "$record": self._read_record,
        }

    def items(self, values: Any) -> list[Any]:
        """Read the items of a sequence."""
        if type(values) is not list:
            raise DeserializationError(f"expected a list, got {_kind(values)}")
        return [value if type(value) in PLAIN else self.read(value) for value in values]

    def named(self, values: Any) -> dict[str, Any]:
        """Read the values of a mapping whose keys are names."""
        if type(values) is not dict:
            raise DeserializationError(f"expected an object, got {_kind(values)}")
        return {name: value if type(value) in PLAIN else self.read(value) for name, value in values.items()}

    def read(self, value: Any) -> Any:
        """Read a value."""
        if type(value) is list:
            return self.items(value)
        if type(value) is not dict:
            return value
        if any(key.startswith("$") for key in value):
            return self._read_tagged(value)
        return self.named(value)

    def function(self, name: Any) -> Any:
        """Return the function of this name, if a job may call it."""
        function = find(name, self._allowed.covers)
        self._allowed.check_function(function)
        return function

    def code(self, name: str) -> Any:
        """Return the function, class or module of this name, whatever a job may do with it."""
        return find(name, self._allowed.covers) if ":" in name else self._module(name)

    def receiver(self, value: Any, method: str) -> Any:
        """Return the target of a call if a job may call this method; it is made or loaded after that is known."""
        tag, content, others = _tagged(value) if type(value) is dict else ("", None, {})
        if tag not in _RECEIVERS:
            raise DeserializationError(f"expected an object, record, class or module, got {tag or _kind(value)}")
        owner: Any = self._module(content) if tag == "$module" else self._class(content)
        self._allowed.check_method(owner, method, of_record=tag == "$record")
        make = _RECEIVERS[tag]
        return owner if make is None else make(self, owner, others)

    def _read_tagged(self, value: dict[str, Any]) -> Any:
        tag, content, others = _tagged(value)
        read = self._readers.get(tag)
        if read is None:
            raise DeserializationError(f"the tag {tag} is not known")
        try:
            return read(content, **others)
        except (BackburnerError, LoaderFailed, RecursionError):
            raise
        except Exception as error:
            raise DeserializationError(f"{tag} cannot be read: {type(error).__name__}: {message_of(error)}") from error

    def _read_dict(self, pairs: Any) -> dict[Any, Any]:
        if type(pairs) is not list or not all(type(pair) is list and len(pair) == 2 for pair in pairs):
            raise DeserializationError("expected a list of pairs")
        return {self.read(key): self.read(value) for key, value in pairs}

    def _read_enum(self, name: Any, /, **others: Any) -> Any:
        return self._member(self._class(name), others)

    def _read_class(self, name: Any) -> type:
        cls: type = self._class(name)
        self._allowed.check_class(cls)
        return cls

    def _read_module(self, name: Any) -> ModuleType:
        module = self._module(name)
        self._allowed.check_module(module)
        return module

    def _read_object(self, name: Any, /, **sections: Any) -> Any:
        return self._build(self._read_class(name), sections)

    def _read_record(self, name: Any, /, **others: Any) -> Any:
        return self._load(self._read_class(name), others)

    def _build(self, cls: type, sections: Mapping[str, Any]) -> Any:
        if kind_of(cls, self._kinds) is not None:
            raise DeserializationError(f"{cls.__qualname__} is a record: it is read by its key, never made by value")
        try:
            shape = shape_of(cls)
            if FIELDS not in sections or not sections.keys() <= shape.names:
                raise NoShape(f"expected {', '.join(sorted(shape.names))}, got {', '.join(sections)}")
            return shape.build({section: self.named(values) for section, values in sections.items()})
        except NoShape as error:
            raise DeserializationError(f"cannot make a {cls.__qualname__}: {error}") from error

    def _load(self, cls: type, others: Mapping[str, Any]) -> Any:
        kind = kind_of(cls, self._kinds)
        if kind is None:
            raise UnknownJob(f"{cls.__qualname__} is not known as a record here: is its integration installed?")
        if "key" not in others:
            raise DeserializationError(f"expected the key of a {cls.__qualname__}")
        wanted = self.read(others["key"])
        try:
            record = kind.load(cls, wanted)
        except BackburnerError:
            raise
        except Exception as error:
            raise LoaderFailed(error) from error
        if record is None:
            raise RecordMissing(f"the {cls.__qualname__} with the key {printable(repr(wanted), 100)} is gone")
        return record

    def _member(self, cls: Any, others: Mapping[str, Any]) -> Any:
        if not isinstance(cls, EnumMeta):
            raise DeserializationError(f"{cls.__qualname__} is no enum")
        name, value = others.get("name"), others.get("value")
        if name is None and issubclass(cls, Flag) and type(value) is int:
            return cls(value)
        member = cls.__members__.get(str(name))
        if member is None:
            raise UnknownJob(f"the enum {cls.__qualname__} has no member {printable(str(name), 100)} here")
        return member

    def _class(self, name: Any) -> Any:
        cls = find(name, self._allowed.covers)
        if not isinstance(cls, type):
            raise DeserializationError(f"{name} is no class")
        return cls

    def _module(self, name: Any) -> ModuleType:
        return find_module(name, self._allowed.covers)


_RECEIVERS: dict[str, Callable[[Reader, Any, Mapping[str, Any]], Any] | None] = {
    "$module": None,
    "$class": None,
    "$object": Reader._build,
    "$record": Reader._load,
    "$enum": Reader._member,
}
"""What may be the target of a call, and how it is made once its method is known to be allowed."""


def _tagged(value: dict[str, Any]) -> tuple[str, Any, dict[str, Any]]:
    """Return the tag of an object, what it tags, and what stands beside it."""
    if not value:
        raise DeserializationError("expected an object with a tag, got an empty one")
    tag, *_ = value
    others = dict(value)
    content = others.pop(tag)
    if not others.keys() <= _OTHER_KEYS.get(tag, frozenset()):
        raise DeserializationError(f"unexpected keys beside {tag}: {', '.join(others)}")
    return tag, content, others


def _kind(value: Any) -> str:
    return {dict: "an object", list: "a list", str: "text", type(None): "null"}.get(type(value), "a plain value")
