"""What to pass instead of a value that cannot be written into a handler."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Iterable
from datetime import date, datetime, time, timedelta
from functools import partial
from types import MethodType
from typing import Any
from uuid import UUID

from backburner.core.members import MISSING, find_member

_BASES = (str, int, float, bytes, bytearray, list, tuple, dict, frozenset, set, datetime, date, time, timedelta, UUID)
_OF_THIS_PROCESS = ("fileno", "acquire", "cursor")
"""Methods of what cannot leave the process: files, sockets, locks, connections."""


def why_not(value: Any, reason: str) -> str:
    """Return why a value is refused: its type, and what to pass instead, or else the reason."""
    return refused(value, _advice(value) or reason)


def refused(value: Any, reason: str) -> str:
    """Return that a value of this type is refused for this reason."""
    return f"cannot be written, it is of type {_type_name(value)}: {reason}"


def _type_name(value: Any) -> str:
    cls = type(value)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _advice(value: Any) -> str | None:
    if type(value).__module__.partition(".")[0] == "numpy":
        return "pass value.item()" if getattr(value, "shape", None) == () else "pass value.tolist()"
    for base in _bases():
        if isinstance(value, base):
            return f"a subclass of {base.__name__}, pass {base.__name__}(value)"
    if isinstance(value, MethodType):
        return "a method, pass the object and call the method in the job"
    if isinstance(value, partial):
        return "pass the function and its arguments one by one"
    if isinstance(value, memoryview):
        return "pass bytes(value)"
    if isinstance(value, Awaitable):
        return "pass what it returns when it is awaited"
    if any(find_member(type(value), name) is not MISSING for name in _OF_THIS_PROCESS):
        return "it belongs to this process, open or make it in the job"
    if isinstance(value, Iterable) and type(value).__module__ in ("builtins", "itertools", "collections"):
        return "pass list(value)"
    return None


def _bases() -> tuple[type, ...]:
    decimal: Any = sys.modules.get("decimal")
    return _BASES if decimal is None else (*_BASES, decimal.Decimal)
