"""Answers `GET /livez` and `GET /readyz`, for Kubernetes and its kind."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any, Final

from backburner.core.errors import ConfigurationError

BACKLOG = 16
MOST_CALLERS = 64
LONGEST_REQUEST = 4096
"""Bytes; nothing that follows the first line is of interest."""

_ENDS = frozenset({b"\r\n\r\n", b"\n\n"})

PATIENCE = 5.0
"""Seconds that a caller has to say what it wants."""

OK, NOT_FOUND, NOT_ALLOWED, UNAVAILABLE = 200, 404, 405, 503
PHRASES: Final = {
    OK: "OK",
    NOT_FOUND: "Not Found",
    NOT_ALLOWED: "Method Not Allowed",
    UNAVAILABLE: "Service Unavailable",
}

Check = Callable[[], str | None]
"""Says what is wrong; None: nothing."""


class Health:
    """A server that never waits: whoever it belongs to calls `work` when its descriptor can be read.

    Raises ConfigurationError when it cannot listen there.
    """

    def __init__(self, host: str, port: int, is_live: Check, is_ready: Check) -> None:
        self._checks = {"/livez": is_live, "/readyz": is_ready}
        self._requests: dict[socket.socket, tuple[bytes, float]] = {}
        self._listener = _listen(host, port)
        # Of a kind that has a descriptor of its own, as the best one of every system with `fork` has.
        self._selector: Any = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)

    @property
    def port(self) -> int:
        """Where it listens, also when any port would do."""
        port: int = self._listener.getsockname()[1]
        return port

    def fileno(self) -> int:
        """Return what can be read when there is something to do."""
        descriptor: int = self._selector.fileno()
        return descriptor

    def work(self, seconds: float = 0.0) -> None:
        """Answer those who have asked; wait for them for so long."""
        for key, _ in self._selector.select(seconds):
            if key.fileobj is self._listener:
                self._accept()
            elif isinstance(key.fileobj, socket.socket):
                self._read(key.fileobj)

    def close(self) -> None:
        """Stop listening."""
        for caller in tuple(self._requests):
            caller.close()
        self._listener.close()
        self._selector.close()

    def _accept(self) -> None:
        self._drop_silent()
        with suppress(OSError):  # it has gone already
            caller, _ = self._listener.accept()
            caller.setblocking(False)
            self._requests[caller] = b"", monotonic() + PATIENCE
            self._selector.register(caller, selectors.EVENT_READ)

    def _drop_silent(self) -> None:
        """Let go of callers who have said nothing for long, and of the oldest ones when there are too many."""
        now = monotonic()
        too_many = len(self._requests) - MOST_CALLERS + 1
        for index, (caller, (_, until)) in enumerate(tuple(self._requests.items())):
            if until < now or index < too_many:
                self._leave(caller)

    def _read(self, caller: socket.socket) -> None:
        request, until = self._requests[caller]
        try:
            data = caller.recv(LONGEST_REQUEST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        request += data
        # What is left unread when a socket is closed takes the answer along: so the headers are waited for.
        if data and len(request) <= LONGEST_REQUEST and not _ENDS.intersection((request[-2:], request[-4:])):
            self._requests[caller] = request, until
            return
        if request:
            self._answer(caller, request)
        self._leave(caller)

    def _answer(self, caller: socket.socket, request: bytes) -> None:
        words = request.partition(b"\n")[0].decode("latin-1").split()
        status, text = self._result(words[0], words[1]) if len(words) > 1 else (NOT_ALLOWED, "expected GET /livez")
        body = f"{text}\n".encode()
        head = (
            f"HTTP/1.1 {status} {PHRASES[status]}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
        )
        with suppress(OSError):  # it has gone; a few hundred bytes always fit
            caller.send(head.encode() + (b"" if words[:1] == ["HEAD"] else body))

    def _result(self, method: str, target: str) -> tuple[int, str]:
        if method not in ("GET", "HEAD"):
            return NOT_ALLOWED, f"expected GET, got {method[:20]}"
        check = self._checks.get(target.partition("?")[0])
        if check is None:
            return NOT_FOUND, f"expected one of {' '.join(self._checks)}"
        problem = check()
        return (OK, "ok") if problem is None else (UNAVAILABLE, problem)

    def _leave(self, caller: socket.socket) -> None:
        self._selector.unregister(caller)
        del self._requests[caller]
        caller.close()


def serve_in_thread(health: Health) -> None:
    """Answer in a thread of its own, as long as the process lives."""
    threading.Thread(target=_serve, args=(health,), name="backburner-health", daemon=True).start()


def _serve(health: Health) -> None:
    while True:
        health.work(seconds=60.0)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(f"health port: cannot listen on {host}:{port}: {error.strerror or error}") from error
    listener.setblocking(False)
    return listener
