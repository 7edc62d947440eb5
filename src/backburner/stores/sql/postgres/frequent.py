"""Statements that are sent again and again: prepared once for each connection, and sent without a cursor.

A cursor of psycopg's is made for statements of any kind, and does about half as much work for one of a single row as
the server. These here have parameters of few types, and their results come in binary form, which both sides make and
read faster.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import count
from types import NoneType
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import abc, generators, waiting
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult

from backburner.core.ops import Frequent, Reply
from backburner.stores.sql.postgres.texts import array

Waits = Generator["waiting.Wait", "waiting.Ready", Any]
"""What psycopg drives: it yields what to wait for."""

Context = psycopg.Cursor[Any] | psycopg.AsyncCursor[Any]
"""Says which connection, and how the values of a result are read there."""

PREPARE_AFTER = 5
"""How often a statement is sent before it is prepared: it may be needed once only."""

_MARK = re.compile(r"%(?:\((?P<name>\w+)\))?[sb]|%%")


class Query(NamedTuple):
    """A statement as libpq takes it."""

    text: bytes
    names: tuple[str, ...]
    """Of the parameters, in order; empty where they come in order."""

    def in_order(self, parameters: Sequence[object] | Mapping[str, object]) -> Iterable[object]:
        """Return the values of the parameters in order."""
        return [parameters[name] for name in self.names] if isinstance(parameters, Mapping) else parameters


class Known:
    """A statement on one connection."""

    __slots__ = ("name", "query", "reading", "uses")

    def __init__(self, query: Query, context: Context) -> None:
        self.query: Query = query
        self.reading: abc.Transformer = Transformer(context)
        """Reads the values of the results."""
        self.name: bytes | None = None
        """Under which it is prepared."""
        self.uses: int = 0
        """How often it was sent without being prepared."""


class Frequently:
    """Sends such statements on one connection, and receives what they give.

    psycopg must prepare nothing there: it would let the server forget ours as well, when it forgets its own.
    """

    can_prepare: bool = True
    """Whether the session is ours alone."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._pgconn = context.connection.pgconn
        encoding = context.connection.info.encoding
        self._encoding = "utf-8" if encoding == "ascii" else encoding  # a database of any bytes says that it is ASCII
        self._encoders: dict[type, Callable[[Any], bytes | None]] = {
            str: self._text,
            int: _number,
            bool: _number,
            UUID: lambda value: value.hex.encode(),
            NoneType: lambda _: None,
            list: lambda values: self._text(array(values)),
        }
        self._statements: dict[str, Known] = {}
        self._numbers = count(1)
        self._sent: Known | None = None

    def asking(self, command: Frequent) -> Waits:
        """Send a statement and receive the reply."""
        yield from self.sending(command)
        reply = yield from self.receiving()
        return reply

    def sending(self, command: Frequent) -> Waits:
        """Send a statement."""
        statement = self._statements.get(command.text)
        if statement is None:
            statement = self._statements[command.text] = Known(query_of(command.text), self._context)
        if statement.name is None:
            yield from self._used(statement)
        query, name = statement.query, statement.name
        encoders, odd = self._encoders, self._of_another_type
        values = [(encoders.get(type(value)) or odd)(value) for value in query.in_order(command.parameters)]
        if name is None:
            self._pgconn.send_query_params(query.text, values, result_format=Format.BINARY)
        else:
            self._pgconn.send_query_prepared(name, values, result_format=Format.BINARY)
        self._sent = statement
        yield from generators.send(self._pgconn)

    def receiving(self) -> Waits:
        """Receive the reply to the statement that was sent."""
        results = yield from generators.fetch_many(self._pgconn)
        result = self._checked(results)
        if result.status != ExecStatus.TUPLES_OK or self._sent is None:
            return Reply((), result.command_tuples or 0)
        reading = self._sent.reading
        reading.set_pgresult(result, format=Format.BINARY)
        rows = reading.load_rows(0, result.ntuples, tuple)
        return Reply(rows, len(rows))

    def _used(self, statement: Known) -> Waits:
        """Count one more use, and prepare the statement when it was used often enough."""
        if self.can_prepare and statement.uses >= PREPARE_AFTER:
            name = b"backburner_%d" % next(self._numbers)
            self._pgconn.send_prepare(name, statement.query.text)
            results = yield from generators.execute(self._pgconn)
            self._checked(results)
            statement.name = name
        statement.uses += 1

    def _text(self, text: str) -> bytes:
        """Return a parameter in text form. Raises DataError for a NUL, which would end it."""
        encoded = text.encode(self._encoding)
        if b"\0" in encoded:
            raise psycopg.DataError("text with the character NUL cannot be stored")
        return encoded

    def _of_another_type(self, value: object) -> bytes | None:
        """Return a parameter that is of a subclass of what is expected."""
        for kind in (str, int):
            if isinstance(value, kind):
                return self._encoders[kind](value)
        raise TypeError(f"expected a parameter to be text, a whole number, an id or a list of such, got {value!r}")

    def _checked(self, results: Sequence[PGresult]) -> PGresult:
        """Return the one result. Raises psycopg's error for it."""
        *_, result = results
        if result.status not in _GOOD:
            raise error_from_result(result, encoding=self._encoding)
        return result


_number: Callable[[int], bytes] = b"%d".__mod__
"""Returns a number, or a truth value, in text form."""

_GOOD = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


@lru_cache(maxsize=256)
def query_of(text: str) -> Query:
    """Return a statement as libpq takes it: parameters have numbers, and a percent sign stands for itself."""
    names: dict[str, int] = {}
    numbers = count(1)

    def numbered(mark: re.Match[str]) -> str:
        if mark[0] == "%%":
            return "%"
        name = mark["name"]
        number = next(numbers) if name is None else names.setdefault(name, len(names) + 1)
        return f"${number}"

    return Query(_MARK.sub(numbered, text).encode(), tuple(names))
