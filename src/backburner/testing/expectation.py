"""What a test expects of a job, and how a job differs from it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
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
from backburner.testing.differing import NONE, Difference, differences
from backburner.testing.stand_ins import Matching, StandIns, Within, as_matching

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
    read: Callable[[Any], Any]
    """Reads a written value, for those who look at it themselves."""

    def misfits(self, job: Job[Any]) -> list[Difference]:
        """Return how a job differs; nothing when it is as expected."""
        found = described(job.handler)
        if not self._is_code_of(found):
            return [Difference("job", short(self.what.code), short(found.code) or "a handler that cannot be read")]
        differing = [] if self.any_method else [*self._receiver(found), *self._arguments(found)]
        return differing + [found for name, value in self.options.items() for found in _option(job, name, value)]

    def is_about(self, job: Job[Any]) -> bool:
        """Say whether a job is at least of the function, method or class that is expected."""
        return self._is_code_of(described(job.handler))

    def __str__(self) -> str:
        what = short(self.what.code) if self.any_method else str(self.what)
        options = "".join(f", {name} {_shown_option(value)}" for name, value in self.options.items())
        return f"{what}{options}"

    def _is_code_of(self, found: Described) -> bool:
        if not self.any_method:
            return found.code == self.what.code
        return self.what.code in (found.code, class_of(found.receiver)) or found.code.startswith(f"{self.what.code}.")

    def _receiver(self, found: Described) -> Iterator[Difference]:
        if found.receiver != self.what.receiver:
            yield Difference("receiver", _shown_receiver(self.what), _shown_receiver(found))

    def _arguments(self, found: Described) -> Iterator[Difference]:
        try:
            got = found.named(self.signature)
        except TypeError as error:
            yield Difference("arguments", str(self.signature), str(error))
            return
        for name, value in self.arguments.items():
            if name in got:
                yield from differences(name, value, got[name], self.read)
            else:
                yield Difference(name, shown(value), NONE)


def expect(
    codec: Codec, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], options: Mapping[str, Any]
) -> Expectation:
    """Return what a test expects.

    Raises TypeError for a target that no job has, WrongArguments for arguments that the target cannot have, and
    EnqueueError for what could not be enqueued.
    """
    given = {name: _expected_option(name, value) for name, value in options.items() if value is not None}
    if isinstance(target, type):
        _refuse_arguments(target.__qualname__, args, kwargs)
        return Expectation(Described(name_of(target)), {}, None, True, given, codec.value)
    call = callable_target(target)
    if call is None:
        return _expect_object(codec, target, args, kwargs, given)
    stand_ins = StandIns()
    written = codec.dump(Call(call.target, call.method, stand_ins.replaced(args), stand_ins.replaced(kwargs)))
    what = described(written).with_values(stand_ins.restored)
    signature = signature_of(target)
    try:
        return Expectation(what, what.named(signature), signature, False, given, codec.value)
    except TypeError as error:
        raise WrongArguments(f"{short(what.code)}{signature}: {error}") from None


def _expect_object(
    codec: Codec, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], options: Mapping[str, Any]
) -> Expectation:
    cls = type(target)
    if find_member(cls, "perform") is MISSING:
        raise TypeError(
            f"expected a function, a bound method such as user.activate, a class or a job object, got {target!r}"
        )
    _refuse_arguments(cls.__qualname__, args, kwargs)
    stand_ins = StandIns()
    what = described(codec.dump(stand_ins.replaced(target))).with_values(stand_ins.restored)
    return Expectation(what, what.kwargs, None, False, options, codec.value)


def _refuse_arguments(cls: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if args or kwargs:
        raise TypeError(f"expected {cls}(…), a job object, to compare fields, or {cls} alone; got {cls} and arguments")


def _expected_option(name: str, value: Any) -> Any:
    found = as_matching(value, is_option=True)
    if isinstance(found, Within) and name != "run_at":
        raise TypeError(f"{name}: expected a value or a predicate, got {found!r}, which is for run_at")
    return check_option(name, value) if found is None else found


def _option(job: Job[Any], name: str, expected: Any) -> Iterator[Difference]:
    got = getattr(job, name)
    match expected:
        case Within():
            fits = expected.fits_run_at(got, job.created_at)
        case Matching():
            fits = expected.fits(got)
        case timedelta():
            fits = abs(got - job.created_at - expected) < NEAR
            got = got - job.created_at
        case tuple():
            fits = set(expected) <= set(got)
        case _:
            fits = got == expected
    if not fits:
        yield Difference(name, _shown_option(expected), _shown_option(got))


def _shown_option(value: Any) -> str:
    match value:
        case datetime():
            return value.isoformat(sep=" ")
        case timedelta():
            return f"{value} from its making"
        case tuple():
            return ", ".join(map(repr, value)) or "none"
        case _:
            return repr(value)


def _shown_receiver(described: Described) -> str:
    return NONE if described.receiver is None else shown(described.receiver)


def short(code: str) -> str:
    """Return what code is called within its module."""
    return code.rpartition(":")[2]
