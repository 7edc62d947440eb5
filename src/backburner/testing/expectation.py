"""What a test expects of a job, and how a job differs from it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from backburner.authoring.targets import callable_target
from backburner.core.codec import Codec
from backburner.core.errors import WrongArguments
from backburner.core.job import Job
from backburner.core.members import MISSING, find_member
from backburner.core.naming import name_of
from backburner.core.options import check_option
from backburner.core.payload import Call
from backburner.core.signatures import signature_of
from backburner.testing.described import Described, class_of, described, shown

NEAR = timedelta(seconds=1)
"""How far a `run_at` may be from "so long after the job was made"."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """A job as it is expected; options that are left out may be anything."""

    what: Described
    arguments: Mapping[str, Any]
    """The arguments or fields that are expected, by name."""
    signature: inspect.Signature | None
    any_method: bool
    """Whether `what` is a class: every job object of it fits, and every call of one of its methods."""
    options: Mapping[str, Any]

    def misfits(self, job: Job[Any]) -> list[str]:
        """Return how a job differs, a line for each; nothing when it is as expected."""
        found = described(job.handler)
        if not self._is_code_of(found):
            return [f"expected {_short(self.what.code)}, got {_short(found.code) or 'a handler that cannot be read'}"]
        lines = [] if self.any_method else [*self._receiver(found), *self._arguments(found)]
        return lines + [line for name, value in self.options.items() for line in _option(job, name, value)]

    def is_about(self, job: Job[Any]) -> bool:
        """Say whether a job is at least of the function, method or class that is expected."""
        return self._is_code_of(described(job.handler))

    def __str__(self) -> str:
        what = _short(self.what.code) if self.any_method else str(self.what)
        options = "".join(f", {name} {_shown_option(value)}" for name, value in self.options.items())
        return f"{what}{options}"

    def _is_code_of(self, found: Described) -> bool:
        if not self.any_method:
            return found.code == self.what.code
        return self.what.code in (found.code, class_of(found.receiver)) or found.code.startswith(f"{self.what.code}.")

    def _receiver(self, found: Described) -> list[str]:
        if found.receiver == self.what.receiver:
            return []
        expected = "none" if self.what.receiver is None else shown(self.what.receiver)
        return [f"receiver: expected {expected}, got {'none' if found.receiver is None else shown(found.receiver)}"]

    def _arguments(self, found: Described) -> list[str]:
        try:
            got = found.named(self.signature)
        except TypeError as error:
            return [f"arguments: {error}"]
        return [
            f"{name}: expected {shown(value)}, got {shown(got[name]) if name in got else 'none'}"
            for name, value in self.arguments.items()
            if name not in got or got[name] != value
        ]


def expect(
    codec: Codec, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], options: Mapping[str, Any]
) -> Expectation:
    """Return what a test expects.

    Raises TypeError for a target that no job has, WrongArguments for arguments that the target cannot have, and
    EnqueueError for what could not be enqueued.
    """
    given = {name: check_option(name, value) for name, value in options.items() if value is not None}
    if isinstance(target, type):
        _refuse_arguments(target.__qualname__, args, kwargs)
        return Expectation(Described(name_of(target)), {}, None, True, given)
    call = callable_target(target)
    if call is None:
        return _expect_object(codec, target, args, kwargs, given)
    what = described(codec.dump(Call(call.target, call.method, args, kwargs)))
    signature = signature_of(target)
    try:
        return Expectation(what, what.named(signature), signature, False, given)
    except TypeError as error:
        raise WrongArguments(f"{_short(what.code)}{signature}: {error}") from None


def _expect_object(
    codec: Codec, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], options: Mapping[str, Any]
) -> Expectation:
    cls = type(target)
    if find_member(cls, "perform") is MISSING:
        raise TypeError(
            f"expected a function, a bound method such as user.activate, a class or a job object, got {target!r}"
        )
    _refuse_arguments(cls.__qualname__, args, kwargs)
    what = described(codec.dump(target))
    return Expectation(what, what.kwargs, None, False, options)


def _refuse_arguments(cls: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if args or kwargs:
        raise TypeError(f"expected {cls}(…), a job object, to compare fields, or {cls} alone; got {cls} and arguments")


def _option(job: Job[Any], name: str, expected: Any) -> list[str]:
    got = getattr(job, name)
    if isinstance(expected, timedelta):
        fits = abs(got - job.created_at - expected) < NEAR
        got = got - job.created_at
    else:
        fits = got == expected
    return [] if fits else [f"{name}: expected {_shown_option(expected)}, got {_shown_option(got)}"]


def _shown_option(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return f"{value} from its making" if isinstance(value, timedelta) else repr(value)


def _short(code: str) -> str:
    return code.rpartition(":")[2]
