"""Times, counts and lists as people say them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

JUST_NOW = 2.0
"""Seconds that are not worth a number."""

_UNITS = ((86_400.0, "days"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"))


def age(moment: datetime, now: datetime) -> str:
    """Return a time as seen from now: `3 min ago`, `in 2 h`, `just now`."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < JUST_NOW:
        return "just now"
    return f"{duration(seconds)} ago" if seconds > 0 else f"in {duration(-seconds)}"


def duration(seconds: float) -> str:
    """Return a duration in its largest unit, rounded down: `90 s`, `3 min`, `2 days`."""
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= 2 * size), _UNITS[-1])
    return f"{int(seconds // size)} {unit}"


def count(number: int, noun: str) -> str:
    """Return `1 job`, `2 jobs`, `1,234 jobs`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listing(names: Iterable[str], most: int = 5) -> str:
    """Return names with commas; behind the first few, how many more there are."""
    every = list(names)
    more = len(every) - most
    return ", ".join(every if more <= 0 else [*every[:most], f"{more:,} more"])
