"""What may stand in an assertion for a value that is not known exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from datetime import datetime, timedelta
from types import FunctionType
from typing import Any
from uuid import uuid4

from backburner.core.times import is_naive, to_duration


class Matching:
    """Stands for every value that a predicate says yes to, or that equals a value such as `pytest.approx(0.3)`."""

    def __init__(self, expected: Any) -> None:
        self._expected = expected

    def fits(self, value: Any) -> bool:
        """Say whether a value is as expected."""
        is_predicate = callable(self._expected)
        return bool(self._expected(value) if is_predicate else self._expected == value)

    def __repr__(self) -> str:
        return f"matching({_shown_predicate(self._expected)})"


class Anything(Matching):
    """Stands for every value; it need not even be readable."""

    def fits(self, value: Any) -> bool:  # noqa: ARG002  # all of them do
        return True

    def __repr__(self) -> str:
        return "ANY"


class Within(Matching):
    """Stands for run times that are near enough; made by `within`."""

    def __init__(self, margin: timedelta, of: datetime | timedelta | None) -> None:
        super().__init__(None)
        self._margin = margin
        self._of = of

    def fits_run_at(self, run_at: datetime, made_at: datetime) -> bool:
        """Say whether a job that was made then may run at this time."""
        if self._of is None:
            return run_at <= made_at + self._margin
        of = made_at + self._of if isinstance(self._of, timedelta) else self._of
        return abs(run_at - of) <= self._margin

    def __repr__(self) -> str:
        match self._of:
            case None:
                return f"within {self._margin} from its making"
            case timedelta():
                return f"within {self._margin} of {self._of} from its making"
            case moment:
                return f"within {self._margin} of {moment.isoformat(sep=' ')}"


def matching(expected: Any) -> Any:
    """Make a stand-in for every value that a predicate says yes to, or that equals `expected`.

    A lambda or a local function needs no such wrapping where it is an argument of the assertion: no job could name it.
    """
    return Matching(expected)


def within(margin: timedelta | float, of: datetime | timedelta | float | None = None) -> Any:
    """Make a stand-in for `run_at`: no later than so long after the job was made, or no further than that from `of`.

    `of` is an aware datetime, or a duration from when the job was made.
    """
    longest = to_duration(margin)
    if longest < timedelta(0):
        raise ValueError(f"within: expected zero seconds or more, got {margin!r}")
    if isinstance(of, datetime):
        if is_naive(of):
            raise ValueError(f"within: expected an aware datetime, got the naive {of!r}")
        return Within(longest, of)
    return Within(longest, None if of is None else to_duration(of))


def as_matching(value: Any, *, is_option: bool = False) -> Matching | None:
    """Return what a value stands for; None when it stands for itself.

    Options are no functions, so that every function is a predicate there.
    """
    if isinstance(value, Matching):
        return value
    cls = type(value)
    if (cls.__module__, cls.__qualname__) == ("unittest.mock", "_ANY"):
        return Anything(None)
    is_predicate = callable(value) if is_option else _is_nameless(value)
    return Matching(value) if is_predicate else None


class StandIns:
    """Puts texts that occur nowhere else into the places of stand-ins, so that the rest can be written as ever."""

    def __init__(self) -> None:
        self._by_token: dict[str, Matching] = {}

    def replaced(self, value: Any) -> Any:
        """Return a value with tokens for the stand-ins in it: in lists, tuples, dicts and the fields of job objects."""
        found = as_matching(value)
        if found is not None:
            token = uuid4().hex
            self._by_token[token] = found
            return token
        if type(value) in (list, tuple):
            return type(value)(map(self.replaced, value))
        if type(value) is dict:
            return {key: self.replaced(item) for key, item in value.items()}
        return self._object(value)

    def restored(self, written: Any) -> Any:
        """Return what was written with the stand-ins in it again."""
        if isinstance(written, str):
            return self._by_token.get(written, written)
        if isinstance(written, list):
            return [self.restored(item) for item in written]
        if isinstance(written, dict):
            return {key: self.restored(item) for key, item in written.items()}
        return written

    def _object(self, value: Any) -> Any:
        """Return an object of plain fields with tokens in a copy of it, if it holds stand-ins."""
        known = len(self._by_token)
        fields = {name: self.replaced(field) for name, field in _fields_of(value).items()}
        if len(self._by_token) == known:
            return value
        from copy import copy

        twin = copy(value)
        for name, field in fields.items():
            object.__setattr__(twin, name, field)  # it may be frozen
        return twin


def _fields_of(value: Any) -> Mapping[str, Any]:
    if isinstance(value, type) or not (hasattr(type(value), "perform") or is_dataclass(value)):
        return {}
    slots = [name for cls in type(value).__mro__ for name in getattr(cls, "__slots__", ())]
    return {**{name: getattr(value, name) for name in slots if hasattr(value, name)}, **getattr(value, "__dict__", {})}


def _is_nameless(value: Any) -> bool:
    """Say whether this is a lambda or a function within a function, which no job can name."""
    return type(value) is FunctionType and "<" in value.__qualname__


def _shown_predicate(expected: Any) -> str:
    if not isinstance(expected, FunctionType):
        return getattr(expected, "__name__", None) or repr(expected)
    code = expected.__code__
    return f"{expected.__name__} at {code.co_filename.rpartition('/')[2]}:{code.co_firstlineno}"
