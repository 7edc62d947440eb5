"""How a worker in the main thread answers signals."""

from __future__ import annotations

import faulthandler
import signal
import sys
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

    def show_jobs(self) -> None:
        """Say what runs."""


@contextmanager
def stopping_by_signal(worker: Stoppable, *, aborts: bool = True) -> Iterator[None]:
    """Let TERM, INT and HUP stop the worker within the block, and abort its jobs at the second time, if `aborts`."""
    seen = 0

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal seen
        seen += 1
        if seen == 1 or not aborts:
            worker.stop(signal.Signals(number).name)
        else:
            worker.abort(number)

    with handling(stop_signals(), handle):
        yield


@contextmanager
def showing_jobs_on_request(worker: Stoppable) -> Iterator[None]:
    """At USR1, write the stack of every thread to stderr, also of one that hangs in C code, and have the jobs named."""
    stderr = sys.__stderr__
    with handling((signal.SIGUSR1,), lambda *_: worker.show_jobs()):
        if stderr is None or not in_main_thread():  # closed, or not handled
            yield
            return
        faulthandler.register(signal.SIGUSR1, stderr, chain=True)
        try:
            yield
        finally:
            faulthandler.unregister(signal.SIGUSR1)


def stop_signals() -> tuple[signal.Signals, ...]:
    """Return the signals that stop a worker: also the one for a terminal that is closed, unless `nohup` is wanted."""
    wants_no_hup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return (signal.SIGTERM, signal.SIGINT) if wants_no_hup else (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


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
