"""An operation as one transaction, and what of it may be done again."""

from __future__ import annotations

import random
from enum import Enum
from typing import Any, TypeVar

from backburner.core.errors import StoreUnavailable
from backburner.core.ops import BEGIN, Frequent, Op, Renewable, Repeatable
from backburner.stores.sql.base import LOOK
from backburner.stores.sql.troubles import Conflict, ConnectionLost, Undone

T = TypeVar("T")


class End(Enum):
    """How a transaction is ended."""

    COMMIT = "COMMIT"
    ROLLBACK = "ROLLBACK"


class Single(Frequent):
    """A statement that is all of its operation, so a transaction by itself. The operation handles no error of it."""


def is_opening(command: object) -> bool:
    """Say whether a command opens the transaction."""
    return command is BEGIN or command is LOOK


def as_transaction(op: Op[T], first: Any, reply: Any = None, *, is_open: bool = False) -> Op[T]:
    """Run an operation from its first command on; commit when it returns, roll back when it raises.

    An operation without BEGIN or LOOK is a single statement, or several that stand for themselves. `is_open`: what its
    first command asks for has been done, and `reply` came of it.
    """
    command, is_begun = first, is_open
    try:
        if is_open:
            command = op.send(reply)
        while True:
            is_begun = is_begun or is_opening(command)
            try:
                reply = yield command
            except BaseException as error:
                command = op.throw(error)
            else:
                command = op.send(reply)
    except StopIteration as stop:
        value: T = stop.value
    except Exception:
        if is_begun:
            yield End.ROLLBACK
        raise
    if is_begun:
        yield End.COMMIT
    return value


def result_of(op: Op[T], reply: Any) -> T:
    """Give an operation the reply to its single statement and return its value."""
    try:
        op.send(reply)
    except StopIteration as stop:
        value: T = stop.value
        return value
    raise TypeError(f"expected an operation of a single statement, got {op!r}")


class Repeats:
    """How often an operation may still be repeated."""

    def __init__(self) -> None:
        self._losses = 1
        self._conflicts = 5

    def after(self, trouble: StoreUnavailable, op: Op[T]) -> tuple[Op[T], float]:
        """Return the operation anew, and for how many seconds to wait before; or raise the trouble.

        What the lost connection was to apply may have been applied: only an operation that says so is repeated then.
        What is undone for certain is begun anew by every operation that can be.
        """
        wanted = Renewable if isinstance(trouble, Undone) else Repeatable
        if isinstance(trouble, ConnectionLost) and isinstance(op, wanted) and self._losses:
            self._losses -= 1
            return op.again(), 0.0
        if isinstance(trouble, Conflict) and isinstance(op, Renewable) and self._conflicts:
            self._conflicts -= 1
            return op.again(), random.uniform(0.002, 0.03)  # noqa: S311 # keeps two of them apart, hides nothing
        raise trouble
