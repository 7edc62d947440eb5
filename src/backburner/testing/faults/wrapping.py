"""Methods of drivers that let the current strike know of what they execute."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from types import TracebackType
from typing import TYPE_CHECKING, Any

from backburner.testing.faults.strike import Killed, current

if TYPE_CHECKING:
    from typing import Self

OURS = "backburner."
"""What the modules begin with whose connections are the stores' own."""

COMMIT = "COMMIT"

Wrapped = tuple[Any, str, Callable[..., Any]]
"""Where a method or function is, its name, and what takes its place."""


def around(connection: Any, text: Any) -> AbstractContextManager[None]:
    """Let the current strike, if there is one, come through the places before and after a statement."""
    strike = current()
    if strike is None or type(connection).__module__.startswith(OURS):
        return nullcontext()
    return strike.around(connection, text.decode(errors="replace") if isinstance(text, bytes) else str(text))


def wrapped(
    method: Callable[..., Any], connection_of: Callable[[Any], Any], text: str | None = None
) -> Callable[..., Any]:
    """Return a method that is watched; its first argument is the statement, unless that is given here."""

    @wraps(method)
    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        with around(connection_of(self), text or [*args, *kwargs.values()][0]):
            return method(self, *args, **kwargs)

    return watched


def awaited(
    method: Callable[..., Any], connection_of: Callable[[Any], Any], text: str | None = None
) -> Callable[..., Any]:
    """Return a method that is awaited, as `wrapped` does."""

    @wraps(method)
    async def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        with around(connection_of(self), text or [*args, *kwargs.values()][0]):
            return await method(self, *args, **kwargs)

    return watched


def wrapped_end(leave: Callable[..., Any], connection_of: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return what ends a block that commits when nothing was raised, watched."""

    @wraps(leave)
    def watched(self: Any, *ending: Any) -> Any:
        with _Ending(connection_of(self), ending) as end:
            return leave(self, *end.ending)

    return watched


def awaited_end(leave: Callable[..., Any], connection_of: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return what ends a block and is awaited, as `wrapped_end` does."""

    @wraps(leave)
    async def watched(self: Any, *ending: Any) -> Any:
        with _Ending(connection_of(self), ending) as end:
            return await leave(self, *end.ending)

    return watched


class _Ending:
    """The end of a block of a driver's, which is to tidy up also when the job is killed in its place.

    The block is told of that as of an exception within it.
    """

    def __init__(self, connection: Any, ending: tuple[Any, ...]) -> None:
        self.ending = ending
        self._killed: Killed | None = None
        self._around: AbstractContextManager[None] = nullcontext()
        if ending[0] is None:
            self._around = around(connection, COMMIT)

    def __enter__(self) -> Self:
        try:
            self._around.__enter__()
        except Killed as killed:
            self._killed, self._around = killed, nullcontext()
            self.ending = (Killed, killed, None)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._killed is not None:
            raise self._killed
        self._around.__exit__(kind, error, at)
