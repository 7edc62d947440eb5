"""Running operations on the caller's psycopg connection, inside the caller's transaction."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Generic, TypeAlias, TypeVar

import psycopg
from psycopg.pq import PipelineStatus

from backburner.core import ops
from backburner.core.errors import BackburnerError, ConfigurationError, StoreUnavailable
from backburner.core.ops import Copy, Op, Repeatable, Reply, Statement
from backburner.stores.sql.lent import Execute
from backburner.stores.sql.pool import Pool
from backburner.stores.sql.postgres.opening import opening_of
from backburner.stores.sql.postgres.server import Server
from backburner.stores.sql.postgres.wires import AwaitingCursor, Cursor, Row, aexecuted, executed, is_idle
from backburner.stores.sql.slots import UNUSED
from backburner.stores.sql.transactions import End, Single, as_transaction, is_opening, result_of

T = TypeVar("T")
AnyConnection: TypeAlias = "psycopg.Connection[Any] | psycopg.AsyncConnection[Any]"
C = TypeVar("C", psycopg.Connection[Any], psycopg.AsyncConnection[Any])

NOBODY = 1
"""The number of a process that never serves a connection."""

LARGEST_PROCESS = 4_194_304
"""No system numbers its processes higher; a pooler that makes a number up nearly always does."""


class Joined(Generic[C]):
    """The caller's connection. Its transaction is neither begun nor ended.

    Where it commits every statement, an operation of several is made a transaction of its own.
    """

    def __init__(self, connection: C, server: Server) -> None:
        self.connection: C = connection
        self._explainer = server.explainer
        self._is_ours = False

    def translated(self, command: Any) -> Statement | None:
        """Return what is to be executed for a command that opens or ends the transaction; None for nothing."""
        if is_opening(command):
            self._is_ours = self._commits_every_statement()
            return Statement(opening_of(command, None, is_shared=True)) if self._is_ours else None
        if self._is_ours and not (command is End.ROLLBACK and is_idle(self.connection)):
            return Statement(command.value)
        return None

    def _commits_every_statement(self) -> bool:
        # What is in a pipeline is a transaction anyway, up to its next synchronisation.
        is_pipelined = self.connection.pgconn.pipeline_status != PipelineStatus.OFF
        return self.connection.autocommit and is_idle(self.connection) and not is_pipelined

    def explained(self, error: psycopg.Error) -> BackburnerError:
        """Return what an error of a statement means."""
        return self._explainer.explained(error, is_closed=self.connection.closed)


class JoinedSession(Joined[psycopg.Connection[Any]]):
    """Blocks."""

    def __init__(self, connection: psycopg.Connection[Any], server: Server) -> None:
        super().__init__(connection, server)
        self._cursor = Cursor(connection)

    def execute(self, command: Any) -> Reply | None:
        """Execute one command."""
        if isinstance(command, Copy):
            return None  # a row that is there already would break the caller's transaction
        if not isinstance(command, Statement) and (is_opening(command) or isinstance(command, End)):
            command = self.translated(command)
            if command is None:
                return UNUSED
        try:
            reply = executed(self._cursor, command)
            return reply if self._cursor.pgresult is not None else _from_pipeline(self._cursor)
        except psycopg.Error as error:
            raise self.explained(error) from self._explainer.cause(error)


class AwaitingJoinedSession(Joined[psycopg.AsyncConnection[Any]]):
    """Awaits."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], server: Server) -> None:
        super().__init__(connection, server)
        self._cursor = AwaitingCursor(connection)

    async def execute(self, command: Any) -> Reply | None:
        """Execute one command."""
        if isinstance(command, Copy):
            return None
        if is_opening(command) or isinstance(command, End):
            command = self.translated(command)
            if command is None:
                return UNUSED
        try:
            reply = await aexecuted(self._cursor, command)
            return reply if self._cursor.pgresult is not None else await _from_awaited_pipeline(self._cursor)
        except psycopg.Error as error:
            raise self.explained(error) from self._explainer.cause(error)


def run_joined(op: Op[T], connection: psycopg.Connection[Any], server: Server) -> T:
    """Run an operation on the caller's connection."""
    try:
        first = op.send(None)  # what `next` does, by a shorter way
    except StopIteration as stop:
        value: T = stop.value
        return value
    session = JoinedSession(connection, server)
    if type(first) is Single:
        return result_of(op, session.execute(first))
    return ops.run(as_transaction(op, first), session)


async def arun_joined(op: Op[T], connection: psycopg.AsyncConnection[Any], server: Server) -> T:
    """Run an operation on the caller's connection."""
    try:
        first = next(op)
    except StopIteration as stop:
        value: T = stop.value
        return value
    return await ops.arun(as_transaction(op, first), AwaitingJoinedSession(connection, server))


class Neighbours:
    """Tells connections to the store's database from others.

    To look at what the connection says of itself is usually enough. Where it came another way, by the server's address
    or through a pooler, the store's own connection is asked once whether it is connected to the same server.
    """

    def __init__(self, server: Server, pool: Pool) -> None:
        self._server = server
        self._pool = pool
        self._known: set[tuple[str, str, int]] = set()
        self._last: tuple[object, ...] = ()
        """Where the last connection led to that was expected, and where the store's own did then, in libpq's words."""

    def expect(self, connection: AnyConnection) -> None:
        """Raise ConfigurationError unless this is a connection to the store's database that can be used."""
        if connection.closed:
            raise ConfigurationError("expected connection= to be open, got a closed connection")
        pgconn = connection.pgconn
        end = pgconn.db, pgconn.host, pgconn.port, self._server.end
        if end != self._last:
            self._expect_end(connection)
            self._last = end if end[-1] else ()

    def _expect_end(self, connection: AnyConnection) -> None:
        end = _end_of(connection)
        if end == self._server.end or end in self._known:
            return
        ours = self._end_of_store()
        if ours is not None:
            self._expect_same(end, ours, connection)
            self._known.add(end)

    def leads_here(self, execute: Execute) -> bool:
        """Say whether what a function executes is executed in the store's database."""
        database, process = execute(Statement("SELECT current_database(), pg_backend_pid()")).rows[0]
        ours = self._end_of_store()
        if ours is None or self._server.place.is_pooled:
            return ours is None or bool(ours[0] == database)
        return bool(ours[0] == database) and self._has_process(process)

    def _end_of_store(self) -> tuple[str, str, int] | None:
        """Return where the store's connections lead to; None when that cannot be found out just now."""
        if self._server.end is None:
            with suppress(StoreUnavailable):
                self._pool.run(Repeatable(self._server.ask_the_time))
        return self._server.end

    def _expect_same(self, end: tuple[str, str, int], ours: tuple[str, str, int], connection: AnyConnection) -> None:
        if end == ours:
            return
        if end[0] == ours[0] and (self._server.place.is_pooled or self._is_same_server(connection)):
            return
        raise ConfigurationError(
            f"expected connection= to be connected to the store's database {_shown(ours)}, got one to {_shown(end)}; "
            "if a pooler stands between them, add pooler=yes to the URL of the store"
        )

    def _is_same_server(self, connection: AnyConnection) -> bool:
        if self._has_process(connection.info.backend_pid):
            return True
        # One of the few numbers that a pooler makes up and a server could have given: the server itself knows better.
        return isinstance(connection, psycopg.Connection) and self._has_process(_asked_for_process(connection))

    def _has_process(self, process: int) -> bool:
        """Say whether the store's server has this process of its own."""
        if not 0 < process <= LARGEST_PROCESS:
            return True  # made up by a pooler, and nobody can say where it leads to
        try:
            return self._pool.run(Repeatable(lambda: _has_process(process)))
        except StoreUnavailable:
            return True


def _asked_for_process(connection: psycopg.Connection[Any]) -> int:
    """Return which process serves a connection, by its own word; one that nobody has when it cannot be asked."""
    with suppress(psycopg.Error):
        row = Cursor(connection).execute(b"SELECT pg_backend_pid()").fetchone()
        return int(row[0]) if row else NOBODY
    return NOBODY


def _has_process(process: int) -> Op[bool]:
    reply: Reply = yield Statement(
        "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND datname = current_database()", (process,)
    )
    return bool(reply.rows[0][0])


def _end_of(connection: AnyConnection) -> tuple[str, str, int]:
    info = connection.info
    return info.dbname, info.host, info.port


def _shown(end: tuple[str, str, int]) -> str:
    database, host, port = end
    return f"{database} at {host}:{port}"


def _from_pipeline(cursor: psycopg.Cursor[Row]) -> Reply:
    """Wait for a reply that the caller's pipeline has not received yet."""
    try:
        rows = cursor.fetchall()
    except psycopg.ProgrammingError as error:
        if error.sqlstate:
            raise
        rows = []  # this statement gives none
    return Reply(rows, cursor.rowcount)


async def _from_awaited_pipeline(cursor: psycopg.AsyncCursor[Row]) -> Reply:
    """Wait for a reply, as `_from_pipeline` does."""
    try:
        rows = await cursor.fetchall()
    except psycopg.ProgrammingError as error:
        if error.sqlstate:
            raise
        rows = []
    return Reply(rows, cursor.rowcount)
