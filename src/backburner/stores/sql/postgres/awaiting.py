"""The connections of one process, for operations that are awaited: a pool for each event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from backburner.core import ops
from backburner.core.errors import StoreUnavailable
from backburner.core.ops import Op
from backburner.stores.sql.postgres.server import Server
from backburner.stores.sql.postgres.slots import AwaitingSlot
from backburner.stores.sql.stock import SLICE, Stock

T = TypeVar("T")
Loop = asyncio.AbstractEventLoop


class AwaitingPool:
    """The slots of one event loop."""

    generation: int = 0

    def __init__(self, server: Server) -> None:
        self._server = server
        self._size = server.place.pool_size
        self.slots: list[AwaitingSlot] = [AwaitingSlot(server, self) for _ in range(self._size)]
        self._stock = Stock(self.slots)
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._end_of_loop: AsyncGenerator[None, None] | None = None

    async def run(self, op: Op[T]) -> T:
        """Run an operation as one transaction."""
        try:
            first = next(op)
        except StopIteration as stop:
            value: T = stop.value
            return value
        await self._see_the_loop_end()
        held: list[AwaitingSlot] = []
        returning = iter(held)
        try:
            await self._take(held)
            return await _run_in(held[0], op, first)
        finally:
            try:
                self._stock.put_back(returning)
            finally:
                self._wake_one()

    def drop(self) -> None:
        """Close the connections that are not in use, and the others when they are not in use any more."""
        self.generation += 1
        self._stock.for_all(AwaitingSlot.discard)

    def tidy(self) -> None:
        """Close the connections that have not been needed for long."""
        self._stock.for_all(AwaitingSlot.discard_if_rested)

    def abandon(self) -> None:
        """Leave all connections to the process that this one was forked from."""
        for slot in self.slots:
            slot.abandon()

    async def _see_the_loop_end(self) -> None:
        """Have the connections closed when the loop ends: then it closes the asynchronous generators begun in it."""
        if self._end_of_loop is None:
            self._end_of_loop = self._until_the_loop_ends()
            await anext(self._end_of_loop)

    async def _until_the_loop_ends(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self.drop()

    async def _take(self, held: list[AwaitingSlot]) -> None:
        deadline = monotonic() + self._server.place.timeout
        while not self._stock.take_now(held):
            if monotonic() > deadline:
                raise StoreUnavailable(
                    f"all {self._size} connections to {self._server.place.shown} have been in use for "
                    f"{self._server.place.timeout:g} s: raise pool_size in the URL, or await fewer operations at once"
                )
            await self._something_comes_back()

    async def _something_comes_back(self) -> None:
        word = asyncio.get_running_loop().create_future()
        self._waiting.append(word)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(SLICE):
                    await word
        finally:
            with suppress(ValueError):
                self._waiting.remove(word)

    def _wake_one(self) -> None:
        while self._waiting:
            word = self._waiting.popleft()
            if not word.done():
                word.set_result(None)
                return


class AwaitingPools:
    """The pools of all event loops of this process."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.start_afresh()

    def start_afresh(self) -> None:
        """Begin without any."""
        self._lock = Lock()
        self._pools: WeakKeyDictionary[Loop, AwaitingPool] = WeakKeyDictionary()

    async def run(self, op: Op[T]) -> T:
        """Run an operation as one transaction."""
        return await self._pool_of(asyncio.get_running_loop()).run(op)

    def drop(self) -> None:
        """Close the connections of loops that do not run, and those of others when they are not in use any more."""
        for loop, pool in self._all():
            if loop.is_running() and loop is not _running_loop():
                with suppress(RuntimeError):  # it has been closed meanwhile
                    loop.call_soon_threadsafe(pool.drop)
            else:
                pool.drop()

    def abandon(self) -> None:
        """Leave all connections to the process that this one was forked from, and begin afresh."""
        for pool in list(self._pools.values()):
            pool.abandon()
        self.start_afresh()

    def _pool_of(self, loop: Loop) -> AwaitingPool:
        pool = self._pools.get(loop)
        if pool is None:
            with self._lock:
                self._forget_ended()
                pool = self._pools.setdefault(loop, AwaitingPool(self._server))
        return pool

    def _forget_ended(self) -> None:
        for loop in [loop for loop in self._pools if loop.is_closed()]:
            self._pools.pop(loop).drop()

    def _all(self) -> list[tuple[Loop, AwaitingPool]]:
        with self._lock:
            return list(self._pools.items())


def _running_loop() -> Loop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def _run_in(slot: AwaitingSlot, op: Op[T], first: Any) -> T:
    """Run an operation in a slot that was taken."""
    try:
        return await ops.arun(slot.performing(op, first), slot)
    except Exception:
        raise
    except BaseException:
        slot.discard()  # at once, so that the server undoes what was not committed
        raise
    finally:
        slot.leave()
