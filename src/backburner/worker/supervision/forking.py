"""Worker processes that are forked: the app's code is imported once, and its memory shared until it is changed."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from traceback import print_exc
from typing import Final

from backburner.worker.page import Page
from backburner.worker.supervision.launching import Child
from backburner.worker.supervision.orders import Orders

CRASHED: Final = 1

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD)
"""Those that a supervisor handles."""

Serve = Callable[[int, Page, int, Callable[[], None]], int]
"""Work as the process of a place, with its page and the pipe of its orders, until told to stop; return the exit code.

The function is to be called as soon as the process can be stopped by a signal: until then they wait.
"""


class Forking:
    """Forks. `close_all` closes what a worker process must not inherit."""

    def __init__(self, seats: int, serve: Serve, close_all: Callable[[], None]) -> None:
        self._seats = seats
        self._serve = serve
        self._close_all = close_all

    def launch(self, place: int) -> Child:
        """See `Launcher.launch`."""
        page, orders = Page.shared(self._seats), Orders()
        _flush()
        gc.freeze()  # so that no collection of garbage touches, and so copies, what the processes share
        # A signal that came to the new process now would be handled as if it were the supervisor.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                self._be_born(place, page, orders)
        except OSError:
            orders.close()
            raise
        finally:
            orders.close_for_worker()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        return Child(Forked(pid), page, orders, monotonic())

    def _be_born(self, place: int, page: Page, orders: Orders) -> None:
        """Live as a worker process. Never returns: what lies below on the stack is the supervisor's."""
        code = CRASHED
        try:
            signal.set_wakeup_fd(-1)
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            orders.close()
            self._close_all()
            code = self._serve(place, page, orders.for_worker, _let_signals_come)
        except BaseException:
            print_exc()
        finally:
            end_process(code)


class Forked:
    """A process that was forked."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        """See `Process.poll`."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code


def end_process(code: int) -> None:
    """End this process at once: nothing that others registered for its end is run, and no thread is waited for."""
    try:
        _flush()
    finally:
        os._exit(code)


def _let_signals_come() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def _flush() -> None:
    """Write what is buffered; a copy of the buffer would be written twice."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError, ValueError):  # nobody reads it, or it is closed
                stream.flush()
