"""Running an awaitable to its end from code that blocks."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

TICK = 0.1
"""Seconds after which an async job that waits notices its timeout, at the latest."""


def run_awaitable(awaitable: Awaitable[T]) -> T:
    """Run an awaitable in an event loop of its own, or in that of `one_loop`, and return its value.

    Where this thread runs an event loop already, a second thread does it while this one, and its loop, wait.
    """
    import asyncio

    if _is_in_loop():
        return _in_another_thread(awaitable)
    shared = _shared.get()
    if shared is not None and shared.is_here:
        return shared.run(awaitable)
    return asyncio.run(_finish(awaitable))


class _OneLoop:
    """An event loop that is made when something is first awaited, for the thread that made this."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._runner: asyncio.Runner | None = None

    @property
    def is_here(self) -> bool:
        """Whether this is its thread."""
        return threading.get_ident() == self._thread

    def run(self, awaitable: Awaitable[T]) -> T:
        import asyncio

        if self._runner is None:
            self._runner = asyncio.Runner()
        try:
            return self._runner.run(_finish(awaitable), context=copy_context())
        finally:
            _cancel_others(self._runner.get_loop())

    def close(self) -> None:
        if self._runner is not None:
            self._runner.close()


_shared: ContextVar[_OneLoop | None] = ContextVar("backburner_one_loop", default=None)


@contextmanager
def one_loop() -> Iterator[None]:
    """Let `run_awaitable` use one event loop within the block, so that connections can be used again that it opened."""
    loop = _OneLoop()
    token = _shared.set(loop)
    try:
        yield
    finally:
        _shared.reset(token)
        loop.close()


def _cancel_others(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel the tasks that an awaitable leaves behind, or is itself when an exception broke off its loop."""
    import asyncio

    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))


def _is_in_loop() -> bool:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _finish(awaitable: Awaitable[T]) -> T:
    _tick()
    return await awaitable


def _tick() -> None:
    """Wake the loop again and again: an exception that is raised in this thread from outside waits for a bytecode."""
    import asyncio

    asyncio.get_running_loop().call_later(TICK, _tick)


def _in_another_thread(awaitable: Awaitable[T]) -> T:
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(copy_context().run, asyncio.run, _finish(awaitable)).result()
