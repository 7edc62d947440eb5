"""psycopg's connections and cursors as we use them: with a deadline, and without anything that the user has set up."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import suppress
from time import monotonic
from typing import Any, Generic, TypeVar, cast

import psycopg
from psycopg import postgres, waiting
from psycopg.adapt import AdaptersMap
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row
from psycopg.types import TypesRegistry
from psycopg.types.array import register_all_arrays

from backburner.core.ops import Copy, Frequent, Reply, Slow, Statement
from backburner.stores.sql.postgres.errors import Explainer, NoAnswer
from backburner.stores.sql.postgres.frequent import Frequently

T = TypeVar("T")

INTERVAL = 0.1
"""Seconds between two looks at the deadline while a server says nothing."""

Row = tuple[Any, ...]


def _own_adapters() -> AdaptersMap:
    types = TypesRegistry()
    postgres.register_default_types(types)
    adapters = AdaptersMap(types=types)
    postgres.register_default_adapters(adapters)
    register_all_arrays(adapters)
    return adapters


ADAPTERS = _own_adapters()
"""psycopg's own: the application may have changed those of psycopg as a whole, or of its connection."""


class Cursor(psycopg.Cursor[Row]):
    """A cursor that gives tuples, whatever the connection it is on has been told."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        super().__init__(connection, row_factory=tuple_row)

    @property
    def adapters(self) -> AdaptersMap:
        return ADAPTERS


class AwaitingCursor(psycopg.AsyncCursor[Row]):
    """The same as `Cursor`, awaited."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        super().__init__(connection, row_factory=tuple_row)

    @property
    def adapters(self) -> AdaptersMap:
        return ADAPTERS


class Connection(psycopg.Connection[Row]):
    """A connection that is closed when the server says nothing for `patience` seconds, or when the wait is broken off.

    psycopg would try to cancel the statement first, on another connection, and wait for that.
    """

    patience: float = 10.0
    broken_off_by: BaseException | None = None
    """What ended a wait, and the connection with it. psycopg may have met an error of its own while that passed by."""

    def __del__(self, _warn: object = None, /) -> None:
        """Say nothing: a connection that an interrupted operation left behind is closed by libpq's own object."""

    def wait(self, gen: Any, interval: float = INTERVAL, timeout: float | None = None) -> Any:  # noqa: ARG002 # psycopg's
        try:
            return waiting.wait(_until(monotonic() + self.patience, gen, self), self.pgconn.socket, interval=INTERVAL)
        except Exception:
            raise
        except BaseException as error:
            self.broken_off_by = error
            self.pgconn.finish()
            raise


class AwaitingConnection(psycopg.AsyncConnection[Row]):
    """The same as `Connection`, awaited."""

    patience: float = 10.0
    broken_off_by: BaseException | None = None

    def __del__(self, _warn: object = None, /) -> None:
        """Say nothing, as in `Connection`."""

    async def wait(self, gen: Any, interval: float = INTERVAL, timeout: float | None = None) -> Any:  # noqa: ARG002, ASYNC109 # psycopg's
        deadline = monotonic() + self.patience
        try:
            return await waiting.wait_async(_until(deadline, gen, self), self.pgconn.socket, interval=INTERVAL)
        except Exception:
            raise
        except BaseException as error:
            self.broken_off_by = error
            self.pgconn.finish()
            raise


def _until(
    deadline: float, gen: Generator[Any, Any, T], connection: Connection | AwaitingConnection
) -> Generator[Any, Any, T]:
    """Pass a wait on until the deadline; then close the connection, so that nobody waits on it once more."""
    try:
        want = next(gen)
        while True:
            ready = yield want
            if not ready and monotonic() > deadline:
                connection.pgconn.finish()
                raise NoAnswer(f"nothing came for {connection.patience:g} s")
            want = gen.send(ready)
    except StopIteration as stop:
        value: T = stop.value
        return value


C = TypeVar("C", Connection, AwaitingConnection)


class PostgresWire(Generic[C]):
    """A connection of ours, blocking or awaiting."""

    def __init__(self, connection: C, frequently: Frequently, explainer: Explainer) -> None:
        self.connection: C = connection
        self._frequently = frequently
        self._explainer = explainer

    @property
    def is_pooled(self) -> bool:
        """Whether a pooler stands in between, so that others use the same session."""
        return not self._frequently.can_prepare

    @is_pooled.setter
    def is_pooled(self, is_pooled: bool) -> None:
        self._frequently.can_prepare = not is_pooled

    @property
    def patience(self) -> float:
        """Seconds that the server may say nothing."""
        return self.connection.patience

    @patience.setter
    def patience(self, seconds: float) -> None:
        self.connection.patience = seconds

    @property
    def is_closed(self) -> bool:
        """Whether it is known to have ended."""
        return self.connection.closed

    @property
    def is_idle(self) -> bool:
        """Whether it is open and in no transaction."""
        return is_idle(self.connection)

    def fileno(self) -> int:
        """Return the number of its socket."""
        return self.connection.pgconn.socket

    def finish(self) -> None:
        """Close it at once."""
        self.connection.pgconn.finish()

    def abandon(self) -> None:
        """Leave it to the process that this one was forked from, without a word to the server."""
        with suppress(OSError, psycopg.Error):
            os.close(self.fileno())


class Wire(PostgresWire[Connection]):
    """A connection of ours on which a blocking session executes commands."""

    def __init__(self, connection: Connection, explainer: Explainer) -> None:
        self._cursor = Cursor(connection)
        super().__init__(connection, Frequently(self._cursor), explainer)

    def execute(self, command: Any) -> Reply | None:
        """Execute a statement."""
        try:
            if isinstance(command, Frequent):
                return cast("Reply", self.connection.wait(self._frequently.asking(command)))
            return executed(self._cursor, command)
        except psycopg.Error as error:
            raise explained(error, self.connection, self._explainer) from self._explainer.cause(error)

    def send(self, command: Slow) -> None:
        """Send a statement; `receive` gives the reply."""
        try:
            self.connection.wait(self._frequently.sending(command))
        except psycopg.Error as error:
            raise explained(error, self.connection, self._explainer) from self._explainer.cause(error)

    def receive(self) -> Reply:
        """Return the reply to what was sent."""
        try:
            return cast("Reply", self.connection.wait(self._frequently.receiving()))
        except psycopg.Error as error:
            raise explained(error, self.connection, self._explainer) from self._explainer.cause(error)


class AwaitingWire(PostgresWire[AwaitingConnection]):
    """A connection of ours on which an awaiting session executes commands."""

    def __init__(self, connection: AwaitingConnection, explainer: Explainer) -> None:
        self._cursor = AwaitingCursor(connection)
        super().__init__(connection, Frequently(self._cursor), explainer)

    async def execute(self, command: Any) -> Reply | None:
        """Execute a statement."""
        try:
            if isinstance(command, Frequent):
                return cast("Reply", await self.connection.wait(self._frequently.asking(command)))
            return await aexecuted(self._cursor, command)
        except psycopg.Error as error:
            raise explained(error, self.connection, self._explainer) from self._explainer.cause(error)


def explained(error: psycopg.Error, connection: Connection | AwaitingConnection, explainer: Explainer) -> BaseException:
    """Return what an error on a connection of ours means."""
    return connection.broken_off_by or explainer.explained(error, is_closed=connection.closed)


def executed(cursor: psycopg.Cursor[Row], command: Any) -> Reply | None:
    """Execute a statement with a cursor. Without parameters, its text is sent as it is, percent signs included."""
    match command:
        case Statement(text, parameters):
            query: Any = text
            cursor.execute(query, parameters or None)
            return reply_of(cursor)
        case Copy():
            return copied(cursor, command)
    raise not_ours(command)


async def aexecuted(cursor: psycopg.AsyncCursor[Row], command: Any) -> Reply | None:
    """Execute a statement with a cursor, as `executed` does."""
    match command:
        case Statement(text, parameters):
            query: Any = text
            await cursor.execute(query, parameters or None)
            return Reply(await cursor.fetchall() if has_rows(cursor) else (), cursor.rowcount)
        case Copy():
            return await acopied(cursor, command)
    raise not_ours(command)


def copied(cursor: psycopg.Cursor[Row], command: Copy) -> Reply | None:
    """Store rows in bulk; return None when one of them is there already, and leave the others too."""
    query: Any = command.text
    try:
        with cursor.copy(query) as copy:
            copy.set_types(command.types)
            for row in command.rows:
                copy.write_row(row)
    except psycopg.errors.UniqueViolation:
        return None
    return Reply((), cursor.rowcount)


async def acopied(cursor: psycopg.AsyncCursor[Row], command: Copy) -> Reply | None:
    """Store rows in bulk, as `copied` does."""
    query: Any = command.text
    try:
        async with cursor.copy(query) as copy:
            copy.set_types(command.types)
            for row in command.rows:
                await copy.write_row(row)
    except psycopg.errors.UniqueViolation:
        return None
    return Reply((), cursor.rowcount)


def reply_of(cursor: psycopg.Cursor[Row]) -> Reply:
    """Return what a statement gave."""
    return Reply(cursor.fetchall() if has_rows(cursor) else (), cursor.rowcount)


def has_rows(cursor: psycopg.Cursor[Any] | psycopg.AsyncCursor[Any]) -> bool:
    """Say whether the result is rows, without making a description of them."""
    return cursor.rownumber is not None


def is_idle(connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> bool:
    """Say whether a connection is open and in no transaction."""
    return connection.pgconn.transaction_status == TransactionStatus.IDLE


def not_ours(command: object) -> TypeError:
    """Return the error for a command that is none of SQL."""
    return TypeError(f"expected a command of SQL, got {command!r}: was this operation made by another store?")
