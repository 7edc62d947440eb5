"""A place in a pool, with a connection or without: what an operation goes through there."""

from __future__ import annotations

import select
from time import monotonic
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from backburner.core.errors import StoreUnavailable
from backburner.core.ops import Op, Reply
from backburner.stores.sql.base import LOOK
from backburner.stores.sql.clock import DatabaseClock
from backburner.stores.sql.pool import Limits
from backburner.stores.sql.transactions import Repeats, as_transaction, is_opening
from backburner.stores.sql.troubles import Conflict, ConnectionLost, Unanswered

T = TypeVar("T")

LOOKS_LAST = 60.0
"""Seconds that a look may take, when that is more than other operations may."""

RESTED = 1.0
"""Seconds after which the server may have hung up."""

LONG_RESTED = 300.0
"""Seconds after which a connection that nobody needed is closed."""


UNUSED = Reply((), 0)
"""The reply to a command that gives nothing."""


class Connect(NamedTuple):
    """Make a connection."""


class Pause(NamedTuple):
    """Wait."""

    seconds: float


CONNECT = Connect()


class Owner(Protocol):
    """The pool that a slot is in."""

    generation: int
    """Connections of earlier generations are not used again."""

    def drop(self) -> None:
        """Begin a new generation, and close the connections that are not in use."""

    def tidy(self) -> None:
        """Close the connections that have not been needed for long."""


class AnyWire(Protocol):
    """A connection of ours, as far as it can be handled without using it."""

    patience: float
    """Seconds that the server may say nothing."""

    @property
    def is_closed(self) -> bool:
        """Whether it is known to have ended."""

    @property
    def is_idle(self) -> bool:
        """Whether it is open and in no transaction."""

    def fileno(self) -> int:
        """Return the number of its socket."""

    def finish(self) -> None:
        """Close it at once."""

    def abandon(self) -> None:
        """Leave it to the process that this one was forked from, without a word to the server."""


class AnyServer(Protocol):
    """A database as one process knows it."""

    @property
    def place(self) -> Limits:
        """What the URL says about the use of connections."""

    @property
    def clock(self) -> DatabaseClock:
        """What time it is there."""

    def ask_the_time(self) -> Op[None]:
        """Set our clock by the database's."""


W = TypeVar("W", bound=AnyWire)
S = TypeVar("S", bound=AnyServer)


class Slot(Generic[S, W]):
    """Holds a connection while nobody needs it. Its methods are for the one operation that has taken the slot.

    An operation may be broken off by an exception at any point. So a connection counts as clean only between the end
    of one operation and the beginning of the next; one that is not is closed.
    """

    looked_at_after = RESTED
    """Seconds after which a connection is looked at before it is used."""

    def __init__(self, server: S, owner: Owner) -> None:
        self.wire: W | None = None
        self._server = server
        self._owner = owner
        self._is_clean = False
        self._generation = 0
        self._rested_since = 0.0
        self._patience = server.place.timeout

    def is_ready(self) -> bool:
        """Say whether a statement can be executed as things are; if so, the slot counts as used from now on."""
        self._patience = self._server.place.timeout
        if self._server.clock.is_old or not self._is_usable():
            return False
        self._is_clean = False
        return True

    def performing(self, op: Op[T], first: Any, patience: float | None = None, *, is_ready: bool = False) -> Op[T]:
        """Run an operation of which the first command is known: connect if need be, repeat it where that is safe.

        `is_ready`: as the method of this name has said.
        """
        usual = self._server.place.timeout
        self._patience = patience or (max(LOOKS_LAST, usual) if first is LOOK else usual)
        repeats = Repeats()
        while True:
            try:
                if not is_ready:
                    yield from self._ready()
                is_ready = False
                reply = None
                if is_opening(first):
                    reply = yield from self._opened(first)
                return (yield from as_transaction(op, first, reply, is_open=is_opening(first)))
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
        if self._generation == self._owner.generation and wire.is_idle:
            self._rested_since = monotonic()
            self._is_clean = True
        else:
            self.discard()

    def discard_if_rested(self) -> None:
        """Close the connection if it has not been needed for long."""
        if monotonic() - self._rested_since > LONG_RESTED:
            self.discard()

    def discard(self) -> None:
        """Close the connection."""
        wire, self.wire = self.wire, None
        if wire is not None:
            wire.finish()

    def abandon(self) -> None:
        """Leave the connection to the process that this one was forked from, without a word to the server."""
        wire, self.wire = self.wire, None
        if wire is not None:
            wire.abandon()

    def _ready(self) -> Op[None]:
        """See to it that there is a connection that can be used."""
        if not self._is_usable():
            self.discard()
        elif self._server.clock.is_old:
            self._owner.tidy()
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

    def _opened(self, first: Any) -> Op[Any]:
        """Open the transaction; when the connection turns out to be lost, nothing has been done yet."""
        try:
            reply = yield first
        except ConnectionLost:
            self._hung_up()
            yield from self._connected()
            reply = yield first
        return reply

    def _hung_up(self) -> None:
        self.discard()
        self._owner.drop()

    def _is_usable(self) -> bool:
        wire = self.wire
        if wire is None or not self._is_clean or self._generation != self._owner.generation:
            return False
        if monotonic() - self._rested_since > self.looked_at_after and _is_readable(wire.fileno()):
            self._owner.drop()
            return False
        wire.patience = self._patience
        return not wire.is_closed

    def _connected_wire(self) -> W:
        if self.wire is None:
            raise ConnectionLost(f"the connection to {self._server.place.shown} was lost")
        return self.wire

    def _noted(self, wire: W) -> None:
        """Note a connection that was just made."""
        self.wire = wire
        wire.patience = self._patience


def _is_readable(socket: int) -> bool:
    """Say whether something has come on a connection that nothing is expected on: usually its end."""
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))
