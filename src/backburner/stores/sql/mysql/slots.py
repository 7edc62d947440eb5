"""The slots of the pool of MySQL connections."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from backburner.core.errors import StoreUnavailable
from backburner.core.ops import Reply, Statement
from backburner.stores.sql.base import LOOK
from backburner.stores.sql.mysql.server import Server
from backburner.stores.sql.mysql.together import Together
from backburner.stores.sql.mysql.wires import Wire
from backburner.stores.sql.pool import Receive
from backburner.stores.sql.slots import UNUSED, Connect, Pause, Slot
from backburner.stores.sql.transactions import End, is_opening
from backburner.stores.sql.troubles import ConnectionLost, Undone

BEGINNING = (Statement("START TRANSACTION"),)

LOOKING = (
    # All statements see the same moment.
    Statement("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
    Statement("START TRANSACTION READ ONLY"),
)

COMMIT = Statement("COMMIT")


class Sending(NamedTuple):
    """Statements that are sent in one round trip."""

    statements: Sequence[Statement]
    before: int
    """How many of them, at the beginning, nobody asked for."""
    number: int
    """How many were asked for."""
    is_undone: bool
    """Whether nothing of them is applied when the connection is lost now, as the transaction stays open."""

    def wanted(self, replies: list[Reply]) -> list[Reply]:
        """Return the replies to those that were asked for."""
        return replies[self.before : self.before + self.number]

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Say of a connection that is lost within the block whether something may have been applied."""
        try:
            yield
        except ConnectionLost as lost:
            if self.is_undone:
                raise Undone(str(lost)) from lost
            raise


class BlockingSlot(Slot[Server, Wire]):
    """A slot whose operations block.

    What opens a transaction is sent together with the first statements in it.
    """

    looked_at_after: float = 0.0
    """Always: a lost connection does not show before statements are sent that may not be repeated."""

    _opening: Sequence[Statement] = ()
    _sending = Sending((), 0, 0, is_undone=False)

    def execute(self, command: Any) -> Any:
        """Execute one command."""
        match command:
            case Connect():
                self._opening = ()
                self._noted(self._server.connect())
            case Pause():
                time.sleep(command.seconds)
            case Statement():
                return self._sent([command])[0]
            case Together():
                return self._sent(command.statements, ends=command.ends)
            case Receive():
                return self._received()
            case End.COMMIT:
                self._commit()
            case End.ROLLBACK:
                self._roll_back()
            case _ if is_opening(command):
                self._opening = LOOKING if command is LOOK else BEGINNING
            case _:
                raise TypeError(f"expected a command for MySQL, got {command!r}: was it made by another store?")
        return UNUSED

    def send(self, command: Any) -> bool:
        """Send slow statements; the replies are received with RECEIVE."""
        if not isinstance(command, Together) or not command.is_slow:
            return False
        self._sending = self._batch(command.statements, ends=command.ends)
        with self._sending.noted():
            self._connected_wire().send(self._sending.statements)
        return True

    def leave(self) -> None:
        """See `Slot.leave`."""
        self._opening = ()
        super().leave()

    def _sent(self, statements: Sequence[Statement], *, ends: bool = False) -> list[Reply]:
        """Execute statements in one round trip, between those that open and end the transaction."""
        self._sending = self._batch(statements, ends=ends)
        if not self._sending.statements:
            return []
        with self._sending.noted():
            self._connected_wire().send(self._sending.statements)
        return self._received()

    def _received(self) -> list[Reply]:
        with self._sending.noted():
            return self._sending.wanted(self._connected_wire().receive())

    def _batch(self, statements: Sequence[Statement], *, ends: bool) -> Sending:
        opening, self._opening = self._opening, ()
        is_open = bool(opening) or not self._connected_wire().is_idle
        ending = [COMMIT] if ends and is_open else []
        return Sending([*opening, *statements, *ending], len(opening), len(statements), is_open and not ending)

    def _commit(self) -> None:
        if not self._opening and self.wire is not None and not self.wire.is_idle:
            self._sent([], ends=True)
        self._opening = ()

    def _roll_back(self) -> None:
        """Undo what the operation did; where that is not possible, the server does it when the connection ends."""
        self._opening = ()
        wire = self.wire
        if wire is None or wire.is_idle:
            return
        try:
            wire.execute([Statement("ROLLBACK")])
        except StoreUnavailable:
            self.discard()
