"""What a handler shows of a record beside its key: for people to read, never read back.

Public attributes without secrets, as far as they have a simple form. Nothing here fails, asks a database or follows
other records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, time, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from backburner.core.records import RecordKind
from backburner.core.secrecy import is_secret
from backburner.core.values import is_decimal_or_path

LONGEST_TEXT = 1_000
MOST_ITEMS = 100
DEEPEST = 4

_AS_TEXT = (timedelta, UUID)
_BIGGEST = 2**256


class _HasNoForm(Exception):
    """A value that is left out."""


def snapshot(record: Any, kind: RecordKind, refer: Callable[[Any], Any]) -> dict[str, Any]:
    """Return the attributes of a record as JSON values; nothing when they cannot be had.

    `refer` returns how another record is shown, None for what is no record.
    """
    try:
        shown = _Snapshot(frozenset(getattr(type(record), "__job_secrets__", ())), refer)
        return shown.mapping(kind.attributes(record), DEEPEST)
    except Exception:
        return {}  # the key says all that is needed: nobody's job is refused for what was only to be looked at


class _Snapshot:
    def __init__(self, secrets: frozenset[str], refer: Callable[[Any], Any]) -> None:
        self._secrets = secrets
        self._refer = refer

    def mapping(self, values: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        shown = {}
        for name, value in list(values.items())[:MOST_ITEMS]:
            if self._is_public(name):
                with suppress(Exception):  # left out, for the same reason
                    shown[name] = self.value(value, depth)
        return shown

    def value(self, value: Any, depth: int) -> Any:
        simple = _simple(value)
        if simple is not None or value is None:
            return simple
        if isinstance(value, dict) and depth:
            return self.mapping(value, depth - 1)
        if isinstance(value, (list, tuple, set, frozenset)) and depth:
            return [self.value(item, depth - 1) for item in list(value)[:MOST_ITEMS]]
        if (reference := self._refer(value)) is None:
            raise _HasNoForm
        return reference

    def _is_public(self, name: Any) -> bool:
        return isinstance(name, str) and not name.startswith("_") and name not in self._secrets and not is_secret(name)


def _simple(value: Any) -> Any:
    """Return the simple form of a single value, None when it has none."""
    if isinstance(value, Enum):
        return _text(str(value.name))
    if type(value) is bool or (type(value) is int and abs(value) < _BIGGEST):
        return value
    if isinstance(value, str):
        return _text(value)
    if type(value) is float:
        return value if abs(value) < float("inf") else str(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return str(value) if isinstance(value, _AS_TEXT) or is_decimal_or_path(value) else None


def _text(value: str) -> str:
    cut = value if len(value) <= LONGEST_TEXT else value[:LONGEST_TEXT] + "…"
    return cut.encode(errors="replace").decode()
