"""Running operations on the caller's PyMySQL connection, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from pymysql.connections import Connection

from backburner.core import ops
from backburner.core.errors import ConfigurationError, StoreUnavailable
from backburner.core.ops import Op, Repeatable, Reply, Statement
from backburner.stores.sql import lent
from backburner.stores.sql.mysql.server import Server
from backburner.stores.sql.mysql.together import Together
from backburner.stores.sql.mysql.url import DEFAULT_PORT
from backburner.stores.sql.mysql.wires import AnyConnection, bound, executed, explained, inside, is_in_transaction
from backburner.stores.sql.pool import Pool
from backburner.stores.sql.slots import UNUSED
from backburner.stores.sql.transactions import End, as_transaction, is_opening

T = TypeVar("T")

CHARSET = "utf8mb4"
"""The one that can write down everything that a job consists of."""

IDENTITY = (
    "SHOW GLOBAL VARIABLES "
    "WHERE Variable_name IN ('server_uuid', 'server_uid', 'server_id', 'hostname', 'port', 'datadir')"
)
"""What tells a server from all others; not each server has all of these."""


class JoinedSession:
    """The caller's connection. Its transaction is neither begun nor ended.

    Where it commits every statement, an operation of several is made a transaction of its own.
    """

    def __init__(self, connection: AnyConnection, server: Server) -> None:
        self._connection = connection
        self._explainer = server.explainer
        self._longest = server.longest
        self._is_ours = False

    def execute(self, command: Any) -> Any:
        """Execute one command."""
        if isinstance(command, Statement):
            return self._executed(command)
        if isinstance(command, Together):
            return [self._executed(statement) for statement in command.statements]
        if is_opening(command):
            self._is_ours = self._connection.get_autocommit() and not is_in_transaction(self._connection)
            if self._is_ours:
                self._executed(Statement("START TRANSACTION"))
            return UNUSED
        if isinstance(command, End):
            if self._is_ours and is_in_transaction(self._connection):
                self._executed(Statement(command.value))
            return UNUSED
        raise TypeError(f"expected a command for MySQL, got {command!r}: was it made by another store?")

    def _executed(self, statement: Statement) -> Reply:
        text = self._checked(bound(self._connection, statement))
        try:
            return executed(self._connection, text)
        except Exception as error:
            meant = explained(error, self._explainer)
            if isinstance(meant, StoreUnavailable) and not self._is_ours:
                # Perhaps one of several statements was executed, which the transaction survives.
                meant = type(meant)(f"{meant}; roll your transaction back and begin it anew")
            raise meant from self._explainer.cause(error)

    def _checked(self, text: str) -> str:
        """Return a statement that will arrive as it is."""
        if not text.isascii() and self._connection.charset != CHARSET:
            raise ConfigurationError(
                f"expected connection= to use the character set {CHARSET}, got {self._connection.charset}: "
                f"connect with charset={CHARSET!r}"
            )
        if self._longest is not None and len(text) >= self._longest:  # the server would hang up
            raise self._explainer.too_long(len(text), self._longest)
        return text


class LentSession(lent.LentSession):
    """The same where a library stands in between, which sends one statement at a time."""

    def others(self, command: Any) -> Any:
        """Execute statements that would be sent together, one after the other; the transaction is not ended."""
        if isinstance(command, Together):
            return [self.execute(statement) for statement in command.statements]
        return super().others(command)


def run_joined(op: Op[T], connection: AnyConnection, server: Server) -> T:
    """Run an operation on the caller's connection."""
    try:
        first = next(op)
    except StopIteration as stop:
        value: T = stop.value
        return value
    return ops.run(as_transaction(op, first), JoinedSession(connection, server))


class Neighbours:
    """Tells connections to the store's database from others.

    To look at what the connection says of itself is usually enough. Where it came another way, both ends are asked once
    which server they are.
    """

    def __init__(self, server: Server, pool: Pool) -> None:
        self._server = server
        self._pool = pool
        self._known = {server.place.end}

    def expect(self, connection: object) -> AnyConnection:
        """Return a connection to the store's database that can be used. Raises ConfigurationError for all others."""
        shown = self._server.place.shown
        if not isinstance(connection, Connection):
            kind = type(connection)
            raise ConfigurationError(
                f"expected connection= to be a pymysql Connection to {shown}, got {kind.__module__}.{kind.__qualname__}"
            )
        if not connection.open:
            raise ConfigurationError("expected connection= to be open, got a closed connection")
        if getattr(inside(connection)._result, "unbuffered_active", False):
            raise ConfigurationError(
                "expected connection= to have no result that is not read yet: fetch all rows first"
            )
        self._expect_same(connection)
        return connection

    def _expect_same(self, connection: AnyConnection) -> None:
        end = _end_of(connection)
        if end in self._known:
            return
        if end[0] != self._server.place.end[0] or not self._is_same_server(executed(connection, IDENTITY).rows):
            raise ConfigurationError(
                f"expected connection= to be connected to the store's database {_shown(self._server.place.end)}, "
                f"got one to {_shown(end)}"
            )
        self._known.add(end)

    def leads_here(self, execute: lent.Execute) -> bool:
        """Say whether what a function executes is executed in the store's database."""
        database = _text(execute(Statement("SELECT DATABASE()")).rows[0][0])
        return database == self._server.place.end[0] and self._is_same_server(execute(Statement(IDENTITY)).rows)

    def _is_same_server(self, identity: Iterable[Sequence[Any]]) -> bool:
        """Say whether it is the store's server that says this of itself."""
        with suppress(StoreUnavailable):  # then the caller's connection is all that there is to go by
            return self._pool.run(Repeatable(_identity)) == set(map(tuple, identity))
        return True


def _identity() -> Op[set[Any]]:
    """Ask which server this is."""
    reply: Reply = yield Statement(IDENTITY)
    return set(reply.rows)


def _text(name: str | bytes | None) -> str:
    return name.decode() if isinstance(name, bytes) else name or ""


def _end_of(connection: AnyConnection) -> tuple[str, str, str]:
    """Return database, host and port or socket; the database is asked for where the connection was made without."""
    database = connection.db
    if database is None:
        database = executed(connection, "SELECT DATABASE()").rows[0][0]
    name = _text(database)
    way = connection.unix_socket or connection.host
    return name, str(way), str(connection.port or DEFAULT_PORT)


def _shown(end: tuple[str, str, str]) -> str:
    database, way, port = end
    return f"{database or 'no database'} at {way}" + ("" if way.startswith("/") else f":{port}")
