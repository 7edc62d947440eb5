"""Operations inside a transaction of which only this is known: how to execute a statement in it.

So jobs join the transactions of libraries that stand between the application and its driver, whatever the driver is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from backburner.core import ops
from backburner.core.errors import SchemaMissing
from backburner.core.ops import BEGIN, Copy, Many, Op, Reply, Statement
from backburner.stores.sql.base import LOOK
from backburner.stores.sql.names import Names
from backburner.stores.sql.slots import UNUSED
from backburner.stores.sql.transactions import End

T = TypeVar("T")

Execute: TypeAlias = Callable[[Statement], Reply]

MISSING = ("no such table", "does not exist", "doesn't exist")
"""What SQLite, PostgreSQL and MySQL say of a table that is not there."""


class LentSession:
    """Executes commands by a function that executes one statement; the transaction is neither begun nor ended."""

    def __init__(self, execute: Execute) -> None:
        self._execute = execute

    def execute(self, command: Any) -> Any:
        """Execute one command."""
        if isinstance(command, Statement):
            return self._execute(command)
        if isinstance(command, Many):
            for row in command.rows:
                self._execute(Statement(command.text, row))
            return UNUSED
        if isinstance(command, Copy):
            return None
        if command in (BEGIN, LOOK) or isinstance(command, End):
            return UNUSED
        return self.others(command)

    def others(self, command: Any) -> Any:
        """Execute a command that not every database knows."""
        raise TypeError(f"expected a command of SQL, got {command!r}: was this operation made by another store?")


def run_lent(op: Op[T], session: LentSession, url: str, names: Names) -> T:
    """Run an operation by a session; a table that is not there is SchemaMissing, other errors are the library's own.

    `url` is how the store shows its database.
    """
    try:
        return ops.run(op, session)
    except Exception as error:
        said = str(error)
        if names.prefix in said and any(missing in said for missing in MISSING):
            raise SchemaMissing(
                f"the tables of backburner in {url} are missing or out of date: run `backburner migrate`"
            ) from error
        raise
