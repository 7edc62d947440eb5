"""How single values that JSON does not know are written: each as an object with one key, its tag.

`decimal`, `pathlib` and `zoneinfo` are not imported here: who has such a value has imported them.
"""

from __future__ import annotations

import binascii
import math
import sys
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any
from uuid import UUID

Tagged = dict[str, Any]
"""A value as JSON, under its tag."""

PLAIN: frozenset[type] = frozenset({str, int, bool, type(None)})
"""Types of the values that JSON keeps as they are."""


def write_float(value: float) -> float | Tagged:
    """Return a float as it is if it is finite."""
    return value if math.isfinite(value) else {"$float": repr(value)}


def write_bytes(value: bytes) -> Tagged:
    """Return bytes in base64."""
    return {"$bytes": _base64(value)}


def write_bytearray(value: bytearray) -> Tagged:
    """Return a bytearray in base64."""
    return {"$bytearray": _base64(value)}


def write_timedelta(value: timedelta) -> Tagged:
    """Return a timedelta as days, seconds and microseconds, which is exact."""
    return {"$timedelta": [value.days, value.seconds, value.microseconds]}


def write_date(value: date) -> Tagged:
    """Return a date in ISO 8601."""
    return {"$date": value.isoformat()}


def write_datetime(value: datetime) -> Tagged:
    """Return a datetime in ISO 8601, with its zone's key and its fold: `…T02:30:00+01:00[Europe/Berlin][fold=1]`."""
    return {"$datetime": value.isoformat() + _suffixes(value)}


def write_time(value: time) -> Tagged:
    """Return a time in ISO 8601, with the same suffixes as a datetime."""
    return {"$time": value.isoformat() + _suffixes(value)}


def write_uuid(value: UUID) -> Tagged:
    """Return a UUID as text."""
    return {"$uuid": str(value)}


def write_decimal(value: Any) -> Tagged:
    """Return a Decimal as text, which is exact."""
    return {"$decimal": str(value)}


def write_path(value: Any) -> Tagged:
    """Return a path of the machine's own kind, which becomes the kind of the machine that reads it."""
    return {"$path": str(value)}


def write_pure_path(value: Any) -> Tagged:
    """Return a pure path with its kind."""
    return {"$path": str(value), "pure": type(value).__name__}


WRITERS: dict[type, Callable[[Any], Any]] = {
    float: write_float,
    bytes: write_bytes,
    bytearray: write_bytearray,
    timedelta: write_timedelta,
    date: write_date,
    datetime: write_datetime,
    time: write_time,
    UUID: write_uuid,
}
"""The writers of the types that are always loaded."""


def late_writer(cls: type) -> Callable[[Any], Any] | None:
    """Return the writer of a type from a module that is not imported here."""
    if cls is getattr(sys.modules.get("decimal"), "Decimal", None):
        return write_decimal
    pathlib: Any = sys.modules.get("pathlib")
    if pathlib is not None and cls in (pathlib.PosixPath, pathlib.WindowsPath):
        return write_path
    if pathlib is not None and cls in (pathlib.PurePosixPath, pathlib.PureWindowsPath):
        return write_pure_path
    return _write_as_base if issubclass(cls, date) else None


def is_decimal_or_path(value: Any) -> bool:
    """Say whether this is a Decimal or a path."""
    return late_writer(type(value)) in (write_decimal, write_path, write_pure_path)


def _write_as_base(value: date) -> Any:
    """Return a date or datetime of a subclass (freezegun's, pendulum's) as its base; None if something were lost."""
    if not isinstance(value, datetime):
        plain = date(value.year, value.month, value.day)
        return write_date(plain) if plain == value else None
    moment = datetime.combine(date(value.year, value.month, value.day), value.timetz())
    return write_datetime(moment) if moment == value else None


def read_float(text: Any) -> float:
    """Return one of the floats that JSON does not know."""
    if text not in ("nan", "inf", "-inf"):
        raise ValueError(f"expected nan, inf or -inf, got {text!r}")
    return float(text)


def read_bytes(text: Any) -> bytes:
    """Return bytes from base64."""
    return binascii.a2b_base64(_text(text), strict_mode=True)


def read_timedelta(parts: Any) -> timedelta:
    """Return a timedelta from days, seconds and microseconds."""
    days, seconds, microseconds = (_whole(part) for part in parts)
    return timedelta(days, seconds, microseconds)


def read_datetime(text: Any) -> datetime:
    """Return a datetime with its zone and fold."""
    iso, zone, fold = _without_suffixes(text)
    moment = _datetime_from_iso(iso)
    return moment.replace(tzinfo=zone or moment.tzinfo, fold=fold)


def read_time(text: Any) -> time:
    """Return a time with its zone and fold."""
    iso, zone, fold = _without_suffixes(text)
    moment = _time_from_iso(iso)
    return moment.replace(tzinfo=zone or moment.tzinfo, fold=fold)


def read_decimal(text: Any) -> Any:
    """Return a Decimal."""
    from decimal import Decimal

    return Decimal(_text(text))


def read_path(text: Any, pure: str | None = None) -> Any:
    """Return a path of this machine's kind, or a pure one."""
    import pathlib

    kinds = {None: pathlib.Path, "PurePosixPath": pathlib.PurePosixPath, "PureWindowsPath": pathlib.PureWindowsPath}
    return kinds[pure](_text(text))


READERS: dict[str, Callable[..., Any]] = {
    "$float": read_float,
    "$bytes": read_bytes,
    "$bytearray": lambda text: bytearray(read_bytes(text)),
    "$timedelta": read_timedelta,
    "$date": date.fromisoformat,
    "$datetime": read_datetime,
    "$time": read_time,
    "$uuid": lambda text: UUID(_text(text)),
    "$decimal": read_decimal,
    "$path": read_path,
}
"""The readers of tagged single values; other keys of the object are keyword arguments."""

# Taken from the classes once: a test that freezes time replaces the classes in this module by its own.
_datetime_from_iso = datetime.fromisoformat
_time_from_iso = time.fromisoformat


def _base64(value: bytes | bytearray) -> str:
    return binascii.b2a_base64(value, newline=False).decode()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {type(value).__name__}")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"expected a whole number, got {value!r}")
    return value


def _suffixes(value: datetime | time) -> str:
    key = _zone_key(value.tzinfo)
    return (f"[{key}]" if key else "") + ("[fold=1]" if value.fold else "")


def _zone_key(zone: tzinfo | None) -> str | None:
    zoneinfo: Any = sys.modules.get("zoneinfo")
    return zone.key if zoneinfo is not None and isinstance(zone, zoneinfo.ZoneInfo) else None


def _without_suffixes(text: Any) -> tuple[str, tzinfo | None, int]:
    iso, *suffixes = _text(text).split("[")
    if not all(suffix.endswith("]") for suffix in suffixes):
        raise ValueError(f"expected suffixes in brackets, got {text!r}")
    names = [suffix[:-1] for suffix in suffixes]
    fold = names[-1:] == ["fold=1"]
    zones = names[:-1] if fold else names
    if len(zones) > 1:
        raise ValueError(f"expected one zone, got {text!r}")
    return iso, _zone(zones[0]) if zones else None, int(fold)


def _zone(key: str) -> tzinfo:
    from zoneinfo import ZoneInfo

    return ZoneInfo(key)
