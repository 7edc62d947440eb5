"""A place in a pool, with a connection or without: what an operation goes through there, blocking or awaiting."""

from __future__ import annotations

import asyncio
import os
import select
import time
from contextlib import suppress
from time import monotonic
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from backburner.core.errors import StoreUnavailable
from backburner.core.ops import Op, Reply, Slow, Statement
from backburner.stores.sql.base import LOOK
from backburner.stores.sql.postgres.errors import Conflict, ConnectionLost, Unanswered
from backburner.stores.sql.postgres.server import Server
from backburner.stores.sql.postgres.transactions import End, Repeats, as_transaction, is_opening, opening_of
from backburner.stores.sql.postgres.wires import UNUSED, AwaitingWire, Wire, is_idle

T = TypeVar("T")
W = TypeVar("W", Wire, AwaitingWire)

LOOKS_LAST = 60.0
"""Seconds that a look may take, when that is more than other operations may."""

RESTED = 1.0
"""Seconds after which a connection is looked at before it is used: the server may have hung up."""


class Connect(NamedTuple):
    """Make a connection."""


class Pause(NamedTuple):
    """Wait."""

    seconds: float


class Receive(NamedTuple):
    """Receive the reply to the statement that was sent."""


CONNECT = Connect()
RECEIVE = Receive()


class Owner(Protocol):
    """The pool that a slot is in."""

    generation: int
    """Connections of earlier generations are not used again."""

    def drop(self) -> None:
        """Begin a new generation, and close the connections that are not in use."""


class Slot(Generic[W]):
    """Holds a connection while nobody needs it. Its methods are for the one operation that has taken the slot.

    An operation may be broken off by an exception at any point. So a connection counts as clean only between the end
    of one operation and the beginning of the next; one that is not is closed.
    """

    def __init__(self, server: Server, owner: Owner) -> None:
        self.wire: W | None = None
        self._server = server
        self._owner = owner
        self._is_clean = False
        self._generation = 0
        self._rested_since = 0.0
        self._patience = server.place.timeout

    def performing(self, op: Op[T], first: Any, patience: float | None = None) -> Op[T]:
        """Run an operation of which the first command is known: connect if need be, repeat it where that is safe."""
        usual = self._server.place.timeout
        self._patience = patience or (max(LOOKS_LAST, usual) if first is LOOK else usual)
        repeats = Repeats()
        while True:
            try:
                yield from self._ready()
                if is_opening(first):
                    yield from self._opened(first)
                return (yield from as_transaction(op, first, is_open=is_opening(first)))
            except ConnectionLost as trouble:
                self._owner.drop()
                op, pause = repeats.after(trouble, op)
            except Conflict as trouble:
                op, pause = repeats.after(trouble, op)
            except Unanswered:
                self._owner.drop()
                raise
            yield Pause(pause)
            first = next(op)

    def leave(self) -> None:
        """Note that the operation has ended; whatever is odd about the connection, it is closed."""
        wire = self.wire
        if wire is None:
            return
        if self._generation == self._owner.generation and is_idle(wire.connection):
            self._rested_since = monotonic()
            self._is_clean = True
        else:
            self.discard()

    def discard(self) -> None:
        """Close the connection."""
        wire, self.wire = self.wire, None
        if wire is not None:
            wire.connection.pgconn.finish()

    def abandon(self) -> None:
        """Leave the connection to the process that this one was forked from, without a word to the server."""
        wire, self.wire = self.wire, None
        if wire is not None:
            with suppress(OSError):
                os.close(wire.connection.pgconn.socket)

    def _ready(self) -> Op[None]:
        """See to it that there is a connection that can be used."""
        if not self._is_usable():
            self.discard()
        elif self._server.clock.is_old:
            try:
                yield from self._server.ask_the_time()  # which shows as well whether the connection is alive
            except StoreUnavailable:
                self._hung_up()
        if self.wire is None:
            yield from self._connected()
        self._is_clean = False

    def _connected(self) -> Op[None]:
        self._generation = self._owner.generation
        yield CONNECT

    def _opened(self, first: Any) -> Op[None]:
        """Open the transaction; when the connection turns out to be lost, nothing has been done yet."""
        try:
            yield first
        except ConnectionLost:
            self._hung_up()
            yield from self._connected()
            yield first

    def _hung_up(self) -> None:
        self.discard()
        self._owner.drop()

    def _is_usable(self) -> bool:
        wire = self.wire
        if wire is None or not self._is_clean or self._generation != self._owner.generation:
            return False
        if monotonic() - self._rested_since > RESTED and _is_readable(wire.connection.pgconn.socket):
            self._owner.drop()
            return False
        wire.connection.patience = self._patience
        return not wire.connection.closed

    def _connected_wire(self) -> W:
        if self.wire is None:
            raise ConnectionLost(f"the connection to {self._server.place.shown} was lost")
        return self.wire

    def _translated(self, command: Any) -> Any:
        """Return what is to be executed for a command."""
        if isinstance(command, Statement):
            return command
        if is_opening(command):
            differs = self._server.is_pooled or self._patience != self._server.place.timeout
            return Statement(opening_of(command, self._patience if differs else None))
        if isinstance(command, End):
            return Statement(command.value)
        return command


class BlockingSlot(Slot[Wire]):
    """A slot whose operations block."""

    def execute(self, command: Any) -> Reply | None:
        """Execute one command."""
        if isinstance(command, Connect):
            self.wire = self._server.connect()
            self.wire.connection.patience = self._patience
        elif isinstance(command, Pause):
            time.sleep(command.seconds)
        elif isinstance(command, Receive):
            return self._connected_wire().receive()
        elif command is End.ROLLBACK:
            self._roll_back()
        else:
            return self._connected_wire().execute(self._translated(command))
        return UNUSED

    def send(self, command: Slow) -> None:
        """Send a statement; the reply is received with RECEIVE."""
        self._connected_wire().send(command)

    def _roll_back(self) -> None:
        """Undo what the operation did; where that is not possible, the server does it when the connection ends."""
        wire = self.wire
        if wire is None or is_idle(wire.connection):
            return
        try:
            wire.execute(Statement(End.ROLLBACK.value))
        except StoreUnavailable:
            self.discard()


class AwaitingSlot(Slot[AwaitingWire]):
    """A slot whose operations are awaited."""

    async def execute(self, command: Any) -> Reply | None:
        """Execute one command."""
        if isinstance(command, Connect):
            self.wire = await self._server.aconnect()
            self.wire.connection.patience = self._patience
        elif isinstance(command, Pause):
            await asyncio.sleep(command.seconds)
        elif command is End.ROLLBACK:
            await self._roll_back()
        else:
            return await self._connected_wire().execute(self._translated(command))
        return UNUSED

    async def _roll_back(self) -> None:
        """Undo what the operation did; where that is not possible, the server does it when the connection ends."""
        wire = self.wire
        if wire is None or is_idle(wire.connection):
            return
        try:
            await wire.execute(Statement(End.ROLLBACK.value))
        except StoreUnavailable:
            self.discard()


def _is_readable(socket: int) -> bool:
    """Say whether something has come on a connection that nothing is expected on: usually its end."""
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))
