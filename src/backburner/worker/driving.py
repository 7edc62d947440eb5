"""Driving an attempt, whose commands are awaitables, to its end: in a thread, or in an event loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import GEN_CLOSED, getgeneratorstate
from typing import Any, TypeVar

from backburner.core.ops import Op

T = TypeVar("T")


def drive(op: Op[T], awaiting: Callable[[Awaitable[Any]], Any]) -> T:
    """Drive an attempt in this thread; `awaiting` runs each awaitable to its end.

    As `ops.run` does, and besides: an exception that is raised in this thread from outside, between two steps, reaches
    the attempt as well.
    """
    send: Callable[[Any], Awaitable[Any]] = op.send
    value: Any = None
    while True:
        try:
            while True:
                command = send(value)
                send, value = op.send, awaiting(command)
        except StopIteration as stop:
            ended: T = stop.value
            return ended
        except BaseException as error:
            if getgeneratorstate(op) == GEN_CLOSED:  # it is the attempt itself that raised
                raise
            send, value = op.throw, _throwable(error)


async def adrive(op: Op[T], awaiting: Callable[[Awaitable[Any]], Awaitable[Any]]) -> T:
    """Drive an attempt in this task; `awaiting` is awaited for each awaitable."""
    send: Callable[[Any], Awaitable[Any]] = op.send
    value: Any = None
    while True:
        try:
            command = send(value)
        except StopIteration as stop:
            ended: T = stop.value
            return ended
        try:
            send, value = op.send, await awaiting(command)
        except BaseException as error:
            send, value = op.throw, _throwable(error)


def _throwable(error: BaseException) -> BaseException:
    """Return what to throw into an attempt: to throw GeneratorExit into a generator closes it."""
    if not isinstance(error, GeneratorExit):
        return error
    made = RuntimeError("awaitable raised GeneratorExit")
    made.__cause__ = error
    return made
