"""Running an awaitable to its end from code that blocks."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")

TICK = 0.1
"""Seconds after which an async job that waits notices its timeout, at the latest."""


def run_awaitable(awaitable: Awaitable[T]) -> T:
    """Run an awaitable in an event loop of its own and return its value.

    Where this thread runs an event loop already, a second thread does it while this one, and its loop, wait.
    """
    import asyncio

    return _in_another_thread(awaitable) if _is_in_loop() else asyncio.run(_finish(awaitable))


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
    from contextvars import copy_context

    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(copy_context().run, asyncio.run, _finish(awaitable)).result()
