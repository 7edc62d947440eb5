"""The slots of PostgreSQL's pools, blocking and awaiting."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from backburner.core.errors import StoreUnavailable
from backburner.core.ops import Reply, Slow, Statement
from backburner.stores.sql.pool import Receive
from backburner.stores.sql.postgres.opening import opening_of
from backburner.stores.sql.postgres.server import Server
from backburner.stores.sql.postgres.wires import AwaitingWire, Wire
from backburner.stores.sql.slots import UNUSED, Connect, Pause, Slot, W
from backburner.stores.sql.transactions import End, is_opening


class PostgresSlot(Slot[Server, W]):
    """What blocking and awaiting slots share."""

    def _translated(self, command: Any) -> Any:
        """Return what is to be executed for a command."""
        if isinstance(command, Statement):
            return command
        if is_opening(command):
            is_shared = self._server.is_pooled is True
            differs = is_shared or self._patience != self._server.place.timeout
            return Statement(opening_of(command, self._patience if differs else None, is_shared=is_shared))
        if isinstance(command, End):
            return Statement(command.value)
        return command


class BlockingSlot(PostgresSlot[Wire]):
    """A slot whose operations block."""

    def execute(self, command: Any) -> Reply | None:
        """Execute one command."""
        if isinstance(command, Statement):
            return self._connected_wire().execute(command)
        if isinstance(command, Connect):
            self._noted(self._server.connect())
        elif isinstance(command, Pause):
            time.sleep(command.seconds)
        elif isinstance(command, Receive):
            return self._connected_wire().receive()
        elif command is End.ROLLBACK:
            self._roll_back()
        else:
            return self._connected_wire().execute(self._translated(command))
        return UNUSED

    def send(self, command: Any) -> bool:
        """Send a slow statement; the reply is received with RECEIVE."""
        if not isinstance(command, Slow):
            return False
        self._connected_wire().send(command)
        return True

    def _roll_back(self) -> None:
        """Undo what the operation did; where that is not possible, the server does it when the connection ends."""
        wire = self.wire
        if wire is None or wire.is_idle:
            return
        try:
            wire.execute(Statement(End.ROLLBACK.value))
        except StoreUnavailable:
            self.discard()


class AwaitingSlot(PostgresSlot[AwaitingWire]):
    """A slot whose operations are awaited."""

    async def execute(self, command: Any) -> Reply | None:
        """Execute one command."""
        if isinstance(command, Connect):
            self._noted(await self._server.aconnect())
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
        if wire is None or wire.is_idle:
            return
        try:
            await wire.execute(Statement(End.ROLLBACK.value))
        except StoreUnavailable:
            self.discard()
