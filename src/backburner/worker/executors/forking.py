"""Forking a process that ends with one job, and what a worker can do with it."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

CANCEL, INTERRUPT, STOP = b"c", b"i", b"s"
"""What a worker tells a process: that the job was cancelled; that it is to be interrupted; that the worker stops."""

CHUNK = 65536

LAST_WAIT = 1.0
"""Seconds for a process that has told how its job ended, or was killed, to be gone."""


class Child:
    """A process of a job. To be used by one thread; it is gone after `end`."""

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self.pid = pid
        self._channel = channel
        self._received = b""
        self._is_closed = False
        """Whether the process has closed its end."""
        self.status: int | None = None
        """The exit code, or minus the number of a signal; None while it runs, and when somebody else was told."""
        self._is_gone = False

    def lines(self, seconds: float) -> list[bytes]:
        """Wait for so many seconds at the most, until the process says something or ends; return what was said."""
        if self._is_closed:
            time.sleep(max(seconds, 0.0))
            return []
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        milliseconds = max(seconds, 0.0) * 1000
        while not self._is_closed and poll.poll(milliseconds):
            self._receive()
            milliseconds = 0.0
        *lines, self._received = self._received.split(b"\n")
        return lines

    def tell(self, word: bytes) -> None:
        """Tell the process one of the words above."""
        with suppress(OSError):  # it has ended
            self._channel.send(word)

    def kill(self) -> None:
        """Kill the process, and those that it has started, unless they have left its group."""
        if self._is_gone:
            return  # the number may be another's by now
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):  # it may not have a group of its own yet
            os.kill(self.pid, signal.SIGKILL)

    def has_ended(self) -> bool:
        """Say whether the process is gone."""
        if not self._is_gone:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # who waits for any child of this process was told of it
                self._is_gone = True
            else:
                self._is_gone = pid != 0
                self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self._is_gone

    def end(self) -> None:
        """See to it that the process is gone."""
        deadline = time.monotonic() + LAST_WAIT
        while not self.has_ended():
            if time.monotonic() > deadline:
                self.kill()
            self.lines(0.002)
        self._channel.close()

    def _receive(self) -> None:
        try:
            received = self._channel.recv(CHUNK)
        except OSError:
            received = b""
        self._is_closed = not received
        self._received += received


class Forks:
    """Forks processes, one at a time: no process may hold the worker's end of another one's channel."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channels: set[socket.socket] = set()

    def fork(self, main: Callable[[socket.socket], None]) -> Child:
        """Fork a process that calls `main` with its end of a channel, and then ends. Raises OSError."""
        with self._lock:
            ours, theirs = socket.socketpair()
            self._forget_closed()
            self._channels.add(ours)
            try:
                _flush()
                pid = self._fork(main, theirs)
            except BaseException:
                ours.close()
                raise
            finally:
                theirs.close()
        return Child(pid, ours)

    def _fork(self, main: Callable[[socket.socket], None], channel: socket.socket) -> int:
        """Fork; return in the parent alone."""
        with _signals_blocked(), _unwarned():
            pid = os.fork()
            if pid == 0:
                _run(main, channel, self._channels)
        return pid

    def _forget_closed(self) -> None:
        self._channels = {channel for channel in self._channels if channel.fileno() != -1}


def _run(main: Callable[[socket.socket], None], channel: socket.socket, others: set[socket.socket]) -> None:
    """Be the child: whatever happens, this process must not go on as a second worker."""
    code = 1
    try:
        for other in others:
            other.close()
        main(channel)
        code = 0
    finally:
        try:
            _flush()
        finally:
            os._exit(code)


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Let signals wait while it is not settled who handles them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _unwarned() -> Iterator[None]:
    """Do without Python's warning, from 3.12 on, of what other threads may hold just now; see `inside`."""
    if sys.version_info < (3, 12):
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _flush() -> None:
    """Write out what is buffered, so that it is not written by two processes."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # closed, or not there
            stream.flush()
