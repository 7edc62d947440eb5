"""A book of the statements that a store executes, by the names that they have in the files of SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from backburner.core.ops import Copy, Op
from backburner.core.schema import SchemaState

T = TypeVar("T")

NAME = re.compile(r"/\* (\w+) \*/")


class Marked:
    """Stands before a class that keeps statements by name: each says its name in a comment, wherever it is put in."""

    _statements: Mapping[str, str]

    @property
    def _sql(self) -> Mapping[str, str]:
        return self._statements

    @_sql.setter
    def _sql(self, found: Mapping[str, str]) -> None:
        self._statements = {name: f"{text} /* {name} */" for name, text in found.items()}


class Book:
    """What was executed."""

    def __init__(self) -> None:
        self.texts: set[str] = set()

    @property
    def names(self) -> set[str]:
        """The names that these statements say, and those of the parts that they are made of."""
        return {name for text in self.texts for name in NAME.findall(text)}

    def noting(self, op: Op[T]) -> Op[T]:
        """Return an operation that is noted here, command by command, as the replies come."""
        try:
            command = next(op)
            while True:
                try:
                    reply = yield command
                except BaseException as error:
                    command = op.throw(error)
                else:
                    self._note(command, reply)
                    command = op.send(reply)
        except StopIteration as stop:
            value: T = stop.value
        return value

    def _note(self, command: Any, reply: Any) -> None:
        if isinstance(command, Copy) and reply is None:
            return  # nothing was stored
        statements = getattr(command, "statements", [command])  # those that MySQL is sent together
        self.texts |= {statement.text for statement in statements if hasattr(statement, "text")}


class NotedMigrator(Marked):
    """Stands before a class of migrations."""

    def __init__(self, book: Book, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._book = book

    def state(self) -> Op[SchemaState]:
        return self._book.noting(super().state())

    def migrate(self) -> Op[list[str]]:
        return self._book.noting(super().migrate())
