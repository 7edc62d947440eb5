"""Writes values as JSON values, and refuses those that could not be read again.

A refusal names the path of the offending value: each container adds its part while the error passes through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import partial
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from backburner.core.allow import Allowed, is_of_python
from backburner.core.errors import EnqueueError, NotSerializable, UnsavedRecord
from backburner.core.hints import refused, why_not
from backburner.core.marks import is_marked
from backburner.core.meeting import being_met
from backburner.core.members import owner_of
from backburner.core.naming import module_name_of, name_of
from backburner.core.objects import shape_of
from backburner.core.records import LateKey, RecordKind, kind_of
from backburner.core.shapes import FIELDS, NoShape, Shape
from backburner.core.snapshots import snapshot
from backburner.core.values import PLAIN, WRITERS, late_writer

DEEPEST = 100
MOST_CLASSES = 1_000
_LONGEST_KEY = 50
_MOST_BITS = 200

_Write = Callable[[Any, int], Any]
"""Writes a value of one type that lies so many levels deep."""


class Writer:
    """Writes values for one app: by what it allows, and with the kinds of records that it knows."""

    def __init__(self, allowed: Allowed, kinds: Sequence[RecordKind], show_attributes: bool) -> None:
        self._allowed = allowed
        self._kinds = kinds
        self._show_attributes = show_attributes
        self._writes: dict[type, _Write] = {
            **{cls: partial(_write_leaf, write) for cls, write in WRITERS.items()},
            **dict.fromkeys(PLAIN, lambda value, _: value),
            list: self._write_list,
            dict: self._write_dict,
            tuple: self._write_tuple,
            set: partial(self._write_set, "$set"),
            frozenset: partial(self._write_set, "$frozenset"),
            FunctionType: self._write_function,
            BuiltinFunctionType: self._write_function,
            ModuleType: self._write_module,
            type: self._write_class,
        }
        self._learnt: dict[type, _Write] = {}
        self._names: dict[Any, str] = {}

    def write(self, value: Any, depth: int = 0) -> Any:
        """Write a value; raises NotSerializable, NotImportable, NotAllowed or UnsavedRecord."""
        if depth > DEEPEST:
            raise NotSerializable(f"nested deeper than {DEEPEST} levels, or contained in itself")
        cls = type(value)
        write = self._writes.get(cls) or self._learnt.get(cls) or self._learn(value)
        return write(value, depth + 1)

    def forget(self) -> None:
        """Find out anew how objects of each class, and the names of functions, are written."""
        self._learnt.clear()
        self._names.clear()

    def receiver(self, target: Any, method: str) -> Any:
        """Write the target of a call; it is the method that must be allowed."""
        kind = None if isinstance(target, (type, ModuleType)) else kind_of(type(target), self._kinds)
        self._allowed.check_method(owner_of(target), method, of_record=kind is not None)
        if kind is not None:
            return self._record(kind, target, 1)
        if isinstance(target, ModuleType):
            return {"$module": module_name_of(target)}
        if isinstance(target, type):
            return {"$class": name_of(target)}
        return _write_enum(target, 1) if isinstance(target, Enum) else self._object(target, 1)

    def root(self, payload: Any) -> Any:
        """Write a job object; paths begin with the name of its class."""
        return self.named({type(payload).__qualname__: payload}, "{}")[type(payload).__qualname__]

    def function(self, function: Any) -> str:
        """Return the name of a function that a job calls."""
        if not is_marked(function) and type(function) is not FunctionType:
            return self._name(function)
        known = self._names.get(function)  # to find out takes longer than all the rest of a small handler
        if known is None:
            known = self._names[function] = self._name(function)
        return known

    def _name(self, function: Any) -> str:
        name = name_of(function)
        self._allowed.check_function(function)
        return name

    def items(self, values: Iterable[Any], part: str = "[{}]", depth: int = 0) -> list[Any]:
        """Write the items of a sequence; `part` is how one of them is shown in a path."""
        written: list[Any] = []
        try:
            for value in values:
                is_plain = type(value) in PLAIN
                written.append(value if is_plain else self.write(value, depth))
        except EnqueueError as error:
            within(error, part.format(len(written)))
            raise
        return written

    def named(self, values: Mapping[str, Any], part: str, depth: int = 0) -> dict[str, Any]:
        """Write the values of a mapping whose keys are names; `part` is how one of them is shown in a path."""
        written: dict[str, Any] = {}
        for name, value in values.items():
            try:
                written[name] = value if type(value) in PLAIN else self.write(value, depth)
            except EnqueueError as error:
                within(error, part.format(name[:_LONGEST_KEY]))
                raise
        return written

    def _learn(self, value: Any) -> _Write:
        """Find out how objects of this class are written, and remember it."""
        cls = type(value)
        write = self._find(value, cls)
        if len(self._learnt) >= MOST_CLASSES:
            self._learnt.clear()
        self._learnt[cls] = write
        return write

    def _find(self, value: Any, cls: type) -> _Write:
        if issubclass(cls, Enum):
            return _write_enum
        if (leaf := late_writer(cls)) is not None:
            return partial(_write_leaf, leaf)
        if issubclass(cls, type):
            return self._write_class
        if (kind := kind_of(cls, self._kinds)) is not None:
            return partial(self._write_record, kind)
        return self._write_function if _stands_for_a_function(value) else self._write_object

    def _write_list(self, value: list[Any], depth: int) -> Any:
        return self.items(value, depth=depth)

    def _write_tuple(self, value: tuple[Any, ...], depth: int) -> Any:
        return {"$tuple": self.items(value, depth=depth)}

    def _write_set(self, tag: str, value: Iterable[Any], depth: int) -> Any:
        try:
            return {tag: sorted(self.items(value, depth=depth), key=repr)}
        except ValueError as error:
            raise NotSerializable(f"a number cannot be written: {error}") from None

    def _write_dict(self, value: dict[Any, Any], depth: int) -> Any:
        if all(type(key) is str and not key.startswith("$") for key in value):
            return self.named(value, "[{!r}]", depth)
        return {"$dict": [self._pair(key, item, depth) for key, item in value.items()]}

    def _pair(self, key: Any, value: Any, depth: int) -> list[Any]:
        try:
            return [self.write(key, depth), self.write(value, depth)]
        except EnqueueError as error:
            within(error, _shown_key(key))
            raise

    def _write_function(self, function: Any, _: int) -> Any:
        return {"$function": self.function(function)}

    def _write_class(self, cls: type, _: int) -> Any:
        name = name_of(cls)
        self._allowed.check_class(cls)
        return {"$class": name}

    def _write_module(self, module: ModuleType, _: int) -> Any:
        self._allowed.check_module(module)
        return {"$module": module_name_of(module)}

    def _write_record(self, kind: RecordKind, record: Any, depth: int) -> Any:
        self._allowed.check_class(type(record))
        return self._record(kind, record, depth)

    def _write_object(self, value: Any, depth: int) -> Any:
        _shape_of(value)
        if is_of_python(type(value)):
            raise NotSerializable(why_not(value, "pass str(value), or what it is made of"))
        self._allowed.check_class(type(value))
        return self._object(value, depth)

    def _record(self, kind: RecordKind, record: Any, depth: int) -> Any:
        key = kind.key(record)
        met = being_met()
        if met is not None:
            met.note(kind, record, key)
            key = key.token if isinstance(key, LateKey) else key
        written = self._reference(key, record, depth)
        if self._show_attributes:
            written["attributes"] = snapshot(record, kind, self._refer)
        return written

    def _reference(self, key: Any, record: Any, depth: int) -> dict[str, Any]:
        cls = type(record)
        if key is None or isinstance(key, LateKey):
            raise UnsavedRecord(
                f"this {cls.__qualname__} has no key: save it before a job is made of it; a deleted one has none"
            )
        return {"$record": name_of(cls), **self.named({"key": key}, ".{}", depth)}

    def _refer(self, value: Any) -> Any:
        kind = kind_of(type(value), self._kinds)
        return None if kind is None else self._reference(kind.key(value), value, 1)

    def _object(self, value: Any, depth: int) -> Any:
        try:
            sections = _shape_of(value).state(value)
        except NoShape as error:
            raise NotSerializable(refused(value, str(error))) from None
        written: dict[str, Any] = {"$object": name_of(type(value))}
        for section, values in sections.items():
            if values or section == FIELDS:
                written[section] = self.named(values, ".{}", depth)
        return written


def within(error: EnqueueError, part: str) -> None:
    """Note a part of the path on which an error was met, innermost first."""
    vars(error).setdefault("path", []).append(part)


def path_of(error: EnqueueError) -> str:
    """Return the path that was noted, the middle of a very long one left out."""
    parts: list[str] = vars(error).get("path", [])[::-1]
    return "".join(parts if len(parts) <= 12 else [*parts[:6], " … ", *parts[-3:]])


def _shown_key(key: Any) -> str:
    is_short = type(key) is not int or key.bit_length() <= _MOST_BITS
    return f"[{key!r}]"[:_LONGEST_KEY] if type(key) in PLAIN and is_short else f"[a {type(key).__qualname__}]"


def _shape_of(value: Any) -> Shape:
    cls: Any = type(value)
    try:
        return shape_of(cls)
    except NoShape as error:
        raise NotSerializable(why_not(value, str(error))) from None


def _write_leaf(write: Callable[[Any], Any], value: Any, _: int) -> Any:
    written = write(value)
    if written is None:
        raise NotSerializable(why_not(value, "something would be lost"))
    return written


def _write_enum(member: Any, _: int) -> Any:
    cls = type(member)
    if cls.__members__.get(member._name_) is member:
        return {"$enum": name_of(cls), "name": member._name_}
    return {"$enum": name_of(cls), "value": member._value_}  # several flags together


def _stands_for_a_function(value: Any) -> bool:
    return callable(value) and hasattr(value, "__wrapped__") and isinstance(getattr(value, "__qualname__", None), str)
