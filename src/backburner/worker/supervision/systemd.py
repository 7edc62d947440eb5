"""Telling systemd, or whoever else understands its protocol, how this process is: `sd_notify(3)`."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

SHARE = 3
"""Into how many parts the time is cut within which systemd wants to hear something."""


class Systemd:
    """Says how the process is; says nothing where nobody asked for it.

    What was asked for is taken out of the environment, so that no process of a job answers in this one's place.
    """

    def __init__(self) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", None)
        own = os.environ.pop("WATCHDOG_PID", None) in (None, str(os.getpid()))
        microseconds = os.environ.pop("WATCHDOG_USEC", "")
        self.every: float | None = None
        """How often it wants to hear that work goes on, in seconds; None: never."""
        if self._address and own and microseconds.isdecimal():
            self.every = int(microseconds) / 1_000_000 / SHARE

    def ready(self) -> None:
        """Say that work has begun."""
        self._say("READY=1")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._say("STOPPING=1")

    def alive(self) -> None:
        """Say that work goes on."""
        self._say("WATCHDOG=1")

    def _say(self, text: str) -> None:
        if not self._address:
            return
        # An abstract address is written with an @ for its zero byte.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            out.setblocking(False)
            out.sendto(text.encode(), address)
