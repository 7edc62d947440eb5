"""Awaiting operations that block, in threads of our own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from backburner.core.ops import Op

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")


class Offload:
    """Some threads, which are started when they are needed."""

    def __init__(self, name: str, threads: int) -> None:
        self._name = name
        self._number = threads
        self._threads: ThreadPoolExecutor | None = None

    async def run(self, function: Callable[[Op[T]], T], op: Op[T]) -> T:
        """Call a function that blocks on an operation, in one of the threads."""
        import asyncio
        from concurrent.futures import ThreadPoolExecutor

        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._number, thread_name_prefix=self._name)
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, op)

    def close(self) -> None:
        """Let the threads end after what they do."""
        if self._threads is not None:
            self._threads.shutdown(wait=False)
        self._threads = None

    def abandon(self) -> None:
        """Begin afresh in a process that was forked: the threads are the other one's."""
        self._threads = None
