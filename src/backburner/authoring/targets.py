"""What a call is made on: a method of an object, class or module, or a function."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple, Protocol

from backburner.authoring.recorded import NOTHING, RecordedOptions
from backburner.authoring.suitable import check_runs
from backburner.core.errors import NotImportable
from backburner.core.members import MISSING, find_member, function_in, is_method, owner_of
from backburner.core.payload import Call
from backburner.core.signatures import check_call

Given = Mapping[str, Any]


class Send(Protocol):
    """Enqueues a payload and returns the job, or an awaitable of it."""

    def __call__(self, payload: object, given: Given, recorded: Given, /) -> Any:
        """Enqueue a payload; `given` are the options at the call, `recorded` those of a decorator."""


class Target(NamedTuple):
    """A function, or a receiver and one of its methods."""

    target: Any
    method: str | None
    member: Any
    """The function or method itself, unbound."""

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        """Return the payload of a call. Raises WrongArguments."""
        target, method, _ = self
        check_call(target, method, args, kwargs)
        return Call(target, method, args, kwargs)

    def send(self, send: Send, given: Given, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Enqueue a call with the options given where it is made and those that a decorator recorded."""
        return send(self.call(args, kwargs), given, self._recorded(args))

    def _recorded(self, args: tuple[Any, ...]) -> Given:
        options = getattr(self.member, "recorded_options", None)
        if not isinstance(options, RecordedOptions):  # it may lie deeper
            options = getattr(function_in(self.member), "recorded_options", None)
        if not isinstance(options, RecordedOptions):
            return NOTHING
        unbound_receiver = args[0] if args else None
        return options.values_for(unbound_receiver if self.method is None else self.target)


def method_target(receiver: Any, name: str) -> Target:
    """Return a method of a receiver as a target. Raises UnknownMethod."""
    member = find_member(owner_of(receiver), name)
    if member is MISSING or not is_method(member):
        check_call(receiver, name, (), {})  # raises, and says what is wrong with the name
    check_runs(member)
    return Target(receiver, name, member)


def callable_target(value: Any) -> Target | None:
    """Return a function or bound method as a target; None for everything else, classes and modules included."""
    if isinstance(value, (type, ModuleType)) or not callable(value):
        return None
    receiver = getattr(value, "__self__", None)
    if receiver is not None and not isinstance(receiver, ModuleType):
        return _bound_target(receiver, value)
    if not isinstance(getattr(value, "__qualname__", None), str):
        return None
    check_runs(value)
    return Target(value, None, value)


def _bound_target(receiver: Any, bound: Any) -> Target:
    target = method_target(receiver, bound.__name__)
    function = function_in(target.member)
    if getattr(bound, "__func__", function) is not function:
        raise NotImportable(
            f"{bound.__qualname__} is not what {bound.__name__!r} means on {type(receiver).__qualname__}: "
            "expected a method that a worker finds again by its name"
        )
    return target
