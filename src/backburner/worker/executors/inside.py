"""What goes on in the process of an isolated job: it leaves its worker behind, and performs one attempt.

Other threads of the worker do not live on here, but a lock that one of them held at the moment of the fork stays locked
for ever. Connections are looked after by their stores, logging by Python. What remains is the buffer of a stream that
was just being written to: whoever writes to it here would wait for ever. So all streams are tried before the process
says that the attempt begins; a worker that does not hear this in time kills the process and forks another one.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from backburner.core.errors import JobCancelled
from backburner.core.job import Job
from backburner.core.parts import Parts
from backburner.core.telemetry import ListenerFailed, Record
from backburner.worker.attempt import Attempts
from backburner.worker.cancels import Cancels
from backburner.worker.executors import forking
from backburner.worker.executors.messages import Begun, Ended, Message, Troubled, encoded
from backburner.worker.timeouts import CANCELLED, SignalAlarm

if TYPE_CHECKING:
    from backburner.worker.worker import Worker

DIE_WITH_PARENT = 1
"""`PR_SET_PDEATHSIG` of Linux: be killed as soon as the worker's thread that forked is gone."""


def perform(job: Job[Any], worker: Worker, parts: Parts, channel: socket.socket) -> None:
    """Perform an attempt in this process, and tell the worker how it ended."""
    inside = _Inside(channel)
    _leave_behind_what_is_the_workers()
    parts.telemetry.redirect(inside.pass_on, lambda kind: kind is ListenerFailed)
    _try_streams()
    with InsideAlarm() as alarm:
        inside.listen(alarm)
        attempts = Attempts(worker, parts, inside.cancels, inside.must_stop)
        inside.tell(Begun())
        inside.tell(Ended(attempts.make(job, alarm)))


class InsideAlarm(SignalAlarm):
    """An alarm that cancels at once: nobody else is harmed by what is left half done in this process."""

    def __init__(self) -> None:
        super().__init__()
        self._cancelled = 0

    def cancel(self, turn: int) -> bool:
        """See `Alarm.cancel`."""
        self._cancelled = turn
        self._call()
        return True

    def _end_turn(self) -> None:
        super()._end_turn()
        if self._cancelled == self.turn:
            self._cancelled = 0  # once: a job that cleans up is not to be disturbed
            raise JobCancelled(CANCELLED)


class _Inside:
    """The end of the channel that is in this process."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._sending = threading.Lock()
        self._stops = False
        self.cancels = Cancels(None)

    def must_stop(self) -> bool:
        """Say whether the worker stops."""
        return self._stops

    def tell(self, message: Message) -> None:
        """Tell the worker something."""
        with self._sending:
            self._channel.sendall(encoded(message))

    def pass_on(self, record: Record) -> None:
        """Hand a record to the subscribers in the worker."""
        if isinstance(record, ListenerFailed):
            self.tell(Troubled(record.event, record.error))

    def listen(self, alarm: SignalAlarm) -> None:
        """Do what the worker says from now on, and end with it."""
        thread = threading.Thread(target=self._listen, args=(alarm,), name="backburner-channel", daemon=True)
        thread.start()

    def _listen(self, alarm: SignalAlarm) -> None:
        while words := self._receive():
            for word in words:
                self._obey(bytes([word]), alarm)
        os.killpg(0, signal.SIGKILL)  # the worker is gone, and somebody else has the job, or is about to

    def _obey(self, word: bytes, alarm: SignalAlarm) -> None:
        match word:
            case forking.CANCEL:
                self.cancels.stop_all()
            case forking.INTERRUPT:
                alarm.interrupt()
            case forking.STOP:
                self._stops = True

    def _receive(self) -> bytes:
        try:
            return self._channel.recv(16)
        except OSError:
            return b""


def _leave_behind_what_is_the_workers() -> None:
    """Take a group and a session of our own, no input, and no part in what signals mean to a worker."""
    parent = os.getppid()
    os.setsid()
    _die_with_parent(parent)
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        # Whoever signals all processes of a group or a service means the worker, which tells the job what to do.
        if callable(signal.getsignal(number)):
            signal.signal(number, _ignore)
    signal.signal(signal.SIGTERM, _ignore)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  # as long as the process is there


def _die_with_parent(parent: int) -> None:
    """Be killed when the worker is, where the system does that, also in the middle of a call into C."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)


def _ignore(_number: int, _frame: object) -> None:
    """Ignore a signal; unlike SIG_IGN, this is not passed on to programs that the job starts."""


def _try_streams() -> None:
    """Find out whether the streams that this process may write to can be written to."""
    streams = {id(stream): stream for stream in (sys.stdout, sys.stderr, *_streams_of_logs()) if stream is not None}
    for stream in streams.values():
        with suppress(Exception):  # closed
            stream.flush()


def _streams_of_logs() -> list[Any]:
    logging = sys.modules.get("logging")
    if logging is None:
        return []
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    handlers = [handler for logger in loggers for handler in getattr(logger, "handlers", ())]
    return [handler.stream for handler in handlers if isinstance(handler, logging.StreamHandler)]
