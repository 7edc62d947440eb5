"""What a supervisor waits for: signals, word from other threads, readers of its state, and time."""

from __future__ import annotations

import os
import select
import signal
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import TracebackType
from typing import Protocol

from backburner.core.errors import ConfigurationError
from backburner.worker.signals import handling, in_main_thread, stop_signals

LONGEST = 60.0
"""Seconds for which nothing is waited for at once."""


class Readable(Protocol):
    """Something that has work to do when its descriptor can be read."""

    def fileno(self) -> int:
        """Return the descriptor."""

    def work(self) -> None:
        """Do what there is to do, without waiting."""


class Wakeups:
    """Waits in the main thread. Signals are noted where they come, and taken when the supervisor is awake.

    Raises ConfigurationError elsewhere: signals come to the main thread alone.
    """

    def __init__(self) -> None:
        if not in_main_thread():
            raise ConfigurationError("expected the supervisor to run in the main thread, where signals come")
        self._signals: deque[int] = deque()
        self._reader, self._writer = os.pipe()
        for end in (self._reader, self._writer):
            os.set_blocking(end, False)
        self._poll = select.poll()
        self._poll.register(self._reader, select.POLLIN)
        self._readables: dict[int, Readable] = {}
        self._resources = ExitStack()

    def __enter__(self) -> Wakeups:
        self._resources.callback(self.close)
        self._resources.enter_context(_waking(self._writer))
        numbers = (*stop_signals(), signal.SIGUSR1, signal.SIGCHLD)
        self._resources.enter_context(handling(numbers, lambda number, _: self._signals.append(number)))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._resources.close()

    def add(self, readable: Readable) -> None:
        """Let this work as well when there is something to read."""
        self._readables[readable.fileno()] = readable
        self._poll.register(readable.fileno(), select.POLLIN)

    def wake(self) -> None:
        """End the wait. May be called from any thread."""
        with suppress(OSError):  # full, so that it is awake; or closed
            os.write(self._writer, b"\0")

    def wait(self, seconds: float) -> None:
        """Wait until something happens, at most so many seconds."""
        for descriptor, _ in self._poll.poll(max(min(seconds, LONGEST), 0.0) * 1000):
            if descriptor == self._reader:
                self._drain()
            else:
                self._readables[descriptor].work()

    def signals(self) -> Iterator[int]:
        """Take the signals that came."""
        while self._signals:
            yield self._signals.popleft()

    def close(self) -> None:
        """Close the descriptors."""
        reader, writer = self._reader, self._writer
        self._reader = self._writer = -1
        os.close(reader)
        os.close(writer)

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            while os.read(self._reader, 4096):
                pass


@contextmanager
def _waking(writer: int) -> Iterator[None]:
    """Let every signal write to this descriptor, which ends a wait also when the signal came just before it."""
    previous = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(previous)
