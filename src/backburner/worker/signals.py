"""How a worker in the main thread answers signals."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol

Handler = Callable[[int, FrameType | None], Any]


class Stoppable(Protocol):
    """What a signal may do to a worker."""

    def stop(self, reason: str = ...) -> None:
        """Take no more jobs, and end when what runs is done."""

    def abort(self, number: int) -> None:
        """Interrupt what runs, and end."""


@contextmanager
def stopping_by_signal(worker: Stoppable) -> Iterator[None]:
    """Let TERM and INT stop the worker within the block, and abort its jobs at the second time."""
    seen = 0

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal seen
        seen += 1
        if seen == 1:
            worker.stop(signal.Signals(number).name)
        else:
            worker.abort(number)

    with handling((signal.SIGTERM, signal.SIGINT), handle):
        yield


@contextmanager
def raising_interrupts(note: Callable[[], None]) -> Iterator[None]:
    """Call `note` before Python's own KeyboardInterrupt is raised by a signal, so that it is told from a job's."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        note()
        raise KeyboardInterrupt

    mine = in_main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with handling((signal.SIGINT,) if mine else (), handle):
        yield


@contextmanager
def handling(numbers: tuple[signal.Signals, ...], handler: Handler) -> Iterator[None]:
    """Handle signals within the block, in the main thread; elsewhere Python does not allow it, and nothing is done."""
    previous = {number: signal.signal(number, handler) for number in numbers} if in_main_thread() else {}
    try:
        yield
    finally:
        for number, old in previous.items():
            signal.signal(number, old if old is not None else signal.SIG_DFL)


def in_main_thread() -> bool:
    """Say whether this thread is the one that signals reach."""
    return threading.current_thread() is threading.main_thread()
