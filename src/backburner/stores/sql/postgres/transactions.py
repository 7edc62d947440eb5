"""An operation as one transaction, and what of it may be done again."""

from __future__ import annotations

import random
from enum import Enum
from typing import Any, TypeVar

from backburner.core.errors import StoreUnavailable
from backburner.core.ops import BEGIN, Begin, Op, Repeatable
from backburner.stores.sql.base import LOOK, Look
from backburner.stores.sql.postgres.errors import Conflict, ConnectionLost
from backburner.stores.sql.postgres.server import milliseconds
from backburner.stores.sql.postgres.wires import UNUSED

T = TypeVar("T")


class End(Enum):
    """How a transaction is ended."""

    COMMIT = "COMMIT"
    ROLLBACK = "ROLLBACK"


def is_opening(command: object) -> bool:
    """Say whether a command opens the transaction."""
    return command is BEGIN or command is LOOK


def opening_of(command: Begin | Look, patience: float | None) -> str:
    """Return the SQL that opens a transaction; `patience` is for one that differs from the session's."""
    text = "BEGIN ISOLATION LEVEL READ COMMITTED"
    if command is LOOK:
        text = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"  # all statements see the same moment
    if patience is not None:
        text += f"; SET LOCAL statement_timeout = {milliseconds(patience)}"
    return text


def as_transaction(op: Op[T], first: Any, *, is_open: bool = False) -> Op[T]:
    """Run an operation from its first command on; commit when it returns, roll back when it raises.

    An operation without BEGIN or LOOK is a single statement, or several that stand for themselves. `is_open`: what its
    first command asks for has been done.
    """
    command, is_begun = first, is_open
    try:
        if is_open:
            command = op.send(UNUSED)
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


class Repeats:
    """How often an operation may still be repeated."""

    def __init__(self) -> None:
        self._losses = 1
        self._conflicts = 5

    def after(self, trouble: StoreUnavailable, op: Op[T]) -> tuple[Op[T], float]:
        """Return the operation anew, and for how many seconds to wait before; or raise the trouble.

        What the lost connection was to apply may have been applied: only an operation that says so is repeated.
        """
        if not isinstance(op, Repeatable):
            raise trouble
        if isinstance(trouble, ConnectionLost) and self._losses:
            self._losses -= 1
            return op.again(), 0.0
        if isinstance(trouble, Conflict) and self._conflicts:
            self._conflicts -= 1
            return op.again(), random.uniform(0.002, 0.03)  # noqa: S311 # keeps two of them apart, hides nothing
        raise trouble
