"""Where written values differ: each difference with its path, so that a long value shows only what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from backburner.testing.described import shown
from backburner.testing.stand_ins import Anything, Matching

NONE = "(none)"
"""Shown where there is nothing."""

Read = Callable[[Any], Any]
"""Returns the value that is written so."""


class Difference(NamedTuple):
    """What was expected in one place, and what is there, as people read it."""

    path: str
    expected: str
    got: str

    @property
    def lines(self) -> list[str]:
        """The two lines of a diff."""
        return [f"- {self.path}: {self.expected}", f"+ {self.path}: {self.got}"]


def differences(path: str, expected: Any, got: Any, read: Read) -> Iterator[Difference]:
    """Yield where a written value differs from what is expected, which may have stand-ins in it."""
    if isinstance(expected, Matching):
        yield from _misfit(path, expected, got, read)
    elif _are_both(list, expected, got) and len(expected) == len(got):
        for index, (one, other) in enumerate(zip(expected, got, strict=True)):
            yield from differences(f"{path}[{index}]", one, other, read)
    elif _are_both(dict, expected, got):
        yield from _in_dicts(path, expected, got, read)
    elif expected != got:
        yield Difference(path, shown(expected), shown(got))


def _in_dicts(path: str, expected: dict[str, Any], got: dict[str, Any], read: Read) -> Iterator[Difference]:
    match expected, got:
        case {"$tuple": one}, {"$tuple": other}:
            yield from differences(path, one, other, read)
        case {"$dict": one}, {"$dict": other} if _keys(one) == _keys(other):
            for (key, value), (_, found) in zip(one, other, strict=True):
                yield from differences(f"{path}[{shown(key)}]", value, found, read)
        case {"$object": one, **fields}, {"$object": other, **others} if one == other:
            yield from _by_key(path, _fields(fields), _fields(others), read, "{}.{}")
        case _ if _is_tagged(expected) or _is_tagged(got):
            if expected != got:
                yield Difference(path, shown(expected), shown(got))
        case _:
            yield from _by_key(path, expected, got, read, "{}[{!r}]")


def _by_key(path: str, expected: dict[str, Any], got: dict[str, Any], read: Read, form: str) -> Iterator[Difference]:
    for key in [*expected, *(key for key in got if key not in expected)]:
        inner = form.format(path, key)
        if key not in got:
            yield Difference(inner, shown(expected[key]), NONE)
        elif key not in expected:
            yield Difference(inner, NONE, shown(got[key]))
        else:
            yield from differences(inner, expected[key], got[key], read)


def _misfit(path: str, expected: Matching, got: Any, read: Read) -> Iterator[Difference]:
    if isinstance(expected, Anything):
        return
    try:
        fits = expected.fits(read(got))
    except Exception as error:  # a predicate that such a value is not for, a record that is gone
        yield Difference(path, repr(expected), f"{shown(got)}, on which it raised {type(error).__name__}: {error}")
        return
    if not fits:
        yield Difference(path, repr(expected), shown(got))


def _keys(pairs: list[list[Any]]) -> list[Any]:
    return [key for key, _ in pairs]


def _fields(sections: dict[str, Any]) -> dict[str, Any]:
    return {name: value for section in sections.values() for name, value in section.items()}


def _is_tagged(value: dict[str, Any]) -> bool:
    return any(key.startswith("$") for key in value)


def _are_both(kind: type, expected: Any, got: Any) -> bool:
    return isinstance(expected, kind) and isinstance(got, kind)
