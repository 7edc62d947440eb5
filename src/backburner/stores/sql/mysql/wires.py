"""PyMySQL's connections as we use them: several statements at a time, with a deadline."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

import pymysql
from pymysql.connections import Connection
from pymysql.constants import COMMAND, CR, SERVER_STATUS
from pymysql.cursors import Cursor

from backburner.core.errors import BackburnerError
from backburner.core.ops import Reply, Statement
from backburner.stores.sql.mysql.errors import Explainer

AnyConnection: TypeAlias = "Connection[Any]"

KEEP_ALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 3, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 8000}
"""A server or a network that has gone silently is noticed after some twenty seconds, and after eight when we send.

The last is in milliseconds. Systems that do not know one of them go by their own.
"""


class Wire:
    """A connection of ours."""

    longest = 1_000_000
    """Bytes that the server takes at once."""

    def __init__(self, connection: AnyConnection, explainer: Explainer) -> None:
        self.connection = connection
        self._explainer = explainer
        self._is_awaited = False
        self._received: list[Reply] = []
        _keep_alive(_socket_of(connection))

    @property
    def patience(self) -> float:
        """Seconds that the server may say nothing."""
        return float(inside(self.connection)._read_timeout)

    @patience.setter
    def patience(self, seconds: float) -> None:
        connection = inside(self.connection)
        connection._read_timeout = connection._write_timeout = seconds

    @property
    def is_closed(self) -> bool:
        """Whether it is known to have ended."""
        return not self.connection.open

    @property
    def is_idle(self) -> bool:
        """Whether it is open and in no transaction."""
        return self.connection.open and not self._is_awaited and not is_in_transaction(self.connection)

    def fileno(self) -> int:
        """Return the number of its socket."""
        return _socket_of(self.connection).fileno()

    def finish(self) -> None:
        """Close it at once; one that is in the middle of nothing says so, or the server would note it as broken."""
        if self.is_idle:
            self.connection.close()
        else:
            inside(self.connection)._force_close()

    def abandon(self) -> None:
        """Leave it to the process that this one was forked from, without a word to the server."""
        inside(self.connection)._force_close()  # which closes this process's end only, and says nothing

    def execute(self, statements: Sequence[Statement]) -> list[Reply]:
        """Execute statements in one round trip; an error ends the list."""
        self.send(statements)
        return self.receive()

    def send(self, statements: Sequence[Statement]) -> None:
        """Send statements, those that are too long together one after the other; `receive` gives the replies."""
        connection = inside(self.connection)
        *before, last = self._packets([bound(self.connection, statement) for statement in statements])
        self._is_awaited = True
        self._received = []
        try:
            for packet in before:
                connection._execute_command(COMMAND.COM_QUERY, packet)
                self._received += _replies(connection)
            connection._execute_command(COMMAND.COM_QUERY, last)
        except Exception as error:
            raise explained(error, self._explainer) from self._explainer.cause(error)

    def receive(self) -> list[Reply]:
        """Return the replies to what was sent."""
        try:
            replies = [*self._received, *_replies(inside(self.connection))]
        except Exception as error:
            self._is_awaited = False  # an error is the last reply
            raise explained(error, self._explainer) from self._explainer.cause(error)
        self._is_awaited = False
        return replies

    def _packets(self, texts: list[str]) -> list[bytes]:
        whole = ";".join(texts).encode("utf-8", "surrogateescape")
        if len(whole) < self.longest:
            return [whole]
        parts = [text.encode("utf-8", "surrogateescape") for text in texts]
        longest = max(map(len, parts))
        if longest >= self.longest:
            raise self._explainer.too_long(longest, self.longest)
        return list(_grouped(parts, self.longest))


def inside(connection: AnyConnection) -> Any:
    """Return a connection with what PyMySQL has no other way to: deadlines that change, its socket and its state."""
    return connection


def bound(connection: AnyConnection, statement: Statement) -> str:
    """Return the text of a statement with its parameters in it; without any, it is sent as it is."""
    if not statement.parameters:
        return statement.text
    return statement.text % tuple([_literal(connection, value) for value in statement.parameters])


def _literal(connection: AnyConnection, value: object) -> str:
    """Return a value as it stands in a statement, which stays text with bytes in it: others may read a list of them."""
    return f"0x{value.hex()}" if isinstance(value, bytes) and value else str(connection.escape(value))


def executed(connection: AnyConnection, text: str) -> Reply:
    """Execute one statement on any connection, whatever cursors it makes for others."""
    cursor = Cursor(connection)
    cursor.execute(text)
    return Reply(cursor.fetchall() or (), cursor.rowcount)


def explained(error: Exception, explainer: Explainer) -> BaseException:
    """Return what an error on a connection means; one that is not the driver's is a mistake of ours."""
    if isinstance(error, (BackburnerError, AssertionError)) or not isinstance(error, (pymysql.Error, OSError)):
        return error
    if isinstance(error, OSError):
        error = pymysql.err.OperationalError(CR.CR_SERVER_LOST, str(error))
    return explainer.explained(error)


def is_in_transaction(connection: AnyConnection) -> bool:
    """Say whether a transaction is open, by what the server said last."""
    return bool(inside(connection).server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS)


def _replies(connection: Any) -> Iterator[Reply]:
    """Read replies as PyMySQL's cursors do, without a cursor for each."""
    has_next = True
    while has_next:
        changed = connection.next_result()
        result = connection._result
        yield Reply(result.rows or (), changed)
        has_next = result.has_next


def _grouped(parts: Sequence[bytes], longest: int) -> Iterator[bytes]:
    """Join as many parts as are shorter than that, and then the next."""
    group = parts[0]
    for part in parts[1:]:
        if len(group) + 1 + len(part) < longest:
            group += b";" + part
        else:
            yield group
            group = part
    yield group


def _socket_of(connection: AnyConnection) -> socket.socket:
    found: socket.socket | None = inside(connection)._sock
    if found is None:
        raise pymysql.err.OperationalError(CR.CR_SERVER_GONE_ERROR, "the connection is closed")
    return found


def _keep_alive(sock: socket.socket) -> None:
    for name, value in KEEP_ALIVE.items():
        if hasattr(socket, name):
            with suppress(OSError):  # a socket of the file system has none of these
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
