"""Conversions between what users write (datetime, timedelta, seconds) and what stores keep (integers).

Stores keep times as microseconds since 1970-01-01 UTC and durations as microseconds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def system_now() -> datetime:
    """Return the time of this machine's clock, aware, in UTC."""
    return datetime.now(UTC)


def to_micros(moment: datetime) -> int:
    """Return an aware datetime as microseconds since the epoch."""
    return (moment - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return microseconds since the epoch as an aware datetime in UTC."""
    return EPOCH + timedelta(0, 0, micros)  # by name, it would take half as long again


def to_duration(value: timedelta | float) -> timedelta:
    """Return a timedelta or a number of seconds as a timedelta.

    Raises TypeError for anything else, `True` and `False` included, and ValueError for more than there are dates.
    """
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"expected a timedelta or a number of seconds, got {value!r}")
    try:
        return timedelta(seconds=value)
    except OverflowError:
        raise ValueError(f"expected fewer seconds, got {value!r}") from None


def is_naive(moment: datetime) -> bool:
    """Say whether a datetime does not know its time zone."""
    return moment.tzinfo is None or moment.utcoffset() is None
