"""What a job does: a call of a function or method, or a job object with `perform`."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from types import ModuleType
from typing import Any

from backburner.core.errors import UnknownMethod
from backburner.core.marks import Runnable
from backburner.core.members import MISSING, bind, find_member, function_in, original, owner_of
from backburner.core.protocol import value_of


@dataclass(slots=True)
class Call:
    """A call of a function, or of a method of an object, class or module."""

    target: Any
    """The function, or the receiver of the method."""
    method: str | None = None
    """None when the target is a function."""
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people call it: `User.activate`, `send_welcome`, `reports.build`."""
        if self.method is None:
            return str(getattr(self.target, "__qualname__", None) or type(self.target).__qualname__)
        return f"{_name_of_owner(self.target)}.{self.method}"

    def perform(self) -> Any:
        """Make the call and return its result.

        What was decorated with `@job` or `@handle_asynchronously` runs itself and is not enqueued again. The call of an
        async function returns its coroutine, which the caller has to run.
        """
        if self.method is None:
            return original(self.target)(*self.args, **self.kwargs)
        result = _bound(self.target, self.method)(*self.args, **self.kwargs)
        finish = _finish(self.target)
        if finish is None:
            return result
        return _finish_later(finish, result) if isinstance(result, Awaitable) else finish(result)


def perform(payload: Any) -> Any:
    """Perform a payload and return its result; for an async one its coroutine, which the caller has to run."""
    if type(payload) is Call:
        return payload.perform()
    return _bound(payload, "perform")()


def is_async(code: Any, method: str | None) -> bool:
    """Say whether a job that calls this function, or this method of this class or module, runs a coroutine function."""
    member = code if method is None else find_member(code, method)
    return iscoroutinefunction(function_in(original(member)))


def name_of_payload(payload: Any) -> str:
    """Return what people call it: the name of a call; the `display_name` of a job object, else that of its class."""
    if type(payload) is Call:
        return payload.name
    display_name = value_of(payload, "display_name")
    return type(payload).__qualname__ if display_name is None else str(display_name)


def _bound(target: Any, method: str) -> Any:
    member = find_member(owner_of(target), method)
    if member is MISSING:
        raise UnknownMethod(f"{_name_of_owner(target)} has no method {method}")
    return bind(original(member), target)


def _name_of_owner(target: Any) -> str:
    if isinstance(target, ModuleType):
        return target.__name__.rpartition(".")[2]
    return target.__qualname__ if isinstance(target, type) else type(target).__qualname__


def _finish(target: Any) -> Any:
    """Return the `__job_result__` of the receiver's class, if it is a Runnable that has one."""
    cls = owner_of(target)
    if isinstance(cls, type) and issubclass(cls, Runnable):
        return getattr(cls, "__job_result__", None)
    return None


async def _finish_later(finish: Any, result: Awaitable[Any]) -> Any:
    finished = finish(await result)
    return await finished if isinstance(finished, Awaitable) else finished
