"""Hearing that there may be work: one connection for each process that waits, or looking again and again."""

from __future__ import annotations

import random
import select
import socket
import threading
from collections.abc import Callable

import psycopg

from backburner.core.errors import BackburnerError
from backburner.core.ops import Statement
from backburner.stores.sql.polling import Activity, PollingWatch
from backburner.stores.sql.postgres.server import Server
from backburner.stores.sql.postgres.wires import Wire
from backburner.stores.sql.troubles import NoRoom
from backburner.stores.watching import LocalWatch, Watches

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds before the next try to connect; doubled each time, and spread so that many processes do not come at once."""

SETTLED_WITHIN = 1.0
"""Seconds that `watch` waits for the connection: what is enqueued before it listens is not heard."""


class Listener:
    """A thread with a connection that listens, from `start` on until `stop`.

    `heard` is called when another process has given notice, and when it may have done so unheard.
    """

    def __init__(self, server: Server, token: str, heard: Callable[[], None]) -> None:
        self._server = server
        self._token = token
        self._heard = heard
        self._wire: Wire | None = None
        self._stopped, self._stopping = socket.socketpair()
        self._settled = threading.Event()
        self.must_poll: bool = server.is_pooled is True
        """Whether nothing can be heard, although the database may be reached."""

    def start(self) -> None:
        """Begin to listen; wait a moment until that is so."""
        if self.must_poll:
            self._stopped.close()
        else:
            threading.Thread(target=self._run, name="backburner-listener", daemon=True).start()
            self._settled.wait(SETTLED_WITHIN)

    def stop(self) -> None:
        """Let the thread end, soon."""
        self._stopping.close()

    def abandon(self) -> None:
        """Leave the connection to the process that this one was forked from, without a word to the server."""
        self._stopping.close()
        self._stopped.close()
        wire = self._wire
        if wire is not None:
            wire.abandon()

    def _run(self) -> None:
        try:
            self._work()
        finally:
            self._stopped.close()

    def _work(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                self._listen()
                return
            except (BackburnerError, psycopg.Error) as error:
                if self._wire is not None:  # it had listened; and this server may be back at once
                    pause = FIRST_PAUSE
                self._hang_up(must_poll=isinstance(error, NoRoom))
            if self._is_stopped_within(pause * random.uniform(0.5, 1.5)):  # noqa: S311 # spreads them, hides nothing
                return
            pause = min(pause * 2, LONGEST_PAUSE)

    def _listen(self) -> None:
        """Listen until stopped. Raises BackburnerError and psycopg's errors."""
        wire = self._server.connect()
        if wire.is_pooled:
            wire.connection.close()
            self._hang_up(must_poll=True)
            return
        self._wire = wire
        wire.execute(Statement(f'LISTEN "{self._server.channel}"'))
        self.must_poll = False
        if self._settled.is_set():
            self._heard()  # as nobody knows what was said meanwhile
        self._settled.set()
        try:
            self._hear(wire)
        finally:
            wire.connection.close()
        self._wire = None

    def _hear(self, wire: Wire) -> None:
        connection = wire.connection.pgconn
        poll = select.poll()
        poll.register(connection.socket, select.POLLIN)
        poll.register(self._stopped, select.POLLIN)
        while not _has_come(poll.poll(), self._stopped):
            connection.consume_input()
            others = False
            while notice := connection.notifies():
                others = others or notice.extra.decode(errors="replace") != self._token
            if others:
                self._heard()

    def _hang_up(self, *, must_poll: bool) -> None:
        self._wire = None
        if self.must_poll != must_poll:
            self.must_poll = must_poll
            self._heard()  # so that the watches wait in the other way
        self._settled.set()

    def _is_stopped_within(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._stopped, select.POLLIN)
        return bool(poll.poll(seconds * 1000))


class Ear(Activity):
    """What the watches of one store share: they listen while there are any."""

    def __init__(self, server: Server, token: str, watches: Watches) -> None:
        super().__init__()
        self.token = token
        self._server = server
        self._watches = watches
        self.start_afresh()

    def start_afresh(self) -> None:
        """Begin without any watch."""
        self._lock = threading.Lock()
        self._listener: Listener | None = None
        self._users: set[NoticeWatch] = set()

    @property
    def must_poll(self) -> bool:
        """Whether a watch has to look by itself."""
        listener = self._listener
        return listener is not None and listener.must_poll

    def use(self, watch: NoticeWatch) -> None:
        """Listen for this watch too."""
        with self._lock:
            self._users.add(watch)
            if self._listener is None:
                self._listener = Listener(self._server, self.token, self._watches.wake_all)
                self._listener.start()

    def leave(self, watch: NoticeWatch) -> None:
        """Listen for this watch no more."""
        with self._lock:
            self._users.discard(watch)
            if not self._users:
                self._stop()

    def close(self) -> None:
        """Stop listening."""
        with self._lock:
            self._users.clear()
            self._stop()

    def abandon(self) -> None:
        """Leave the connection to the process that this one was forked from, and begin afresh."""
        listener = self._listener
        self.start_afresh()
        if listener is not None:
            listener.abandon()

    def _stop(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.stop()


class NoticeWatch(PollingWatch):
    """Waits until `wake` is called or another process gives notice; where that cannot be heard, for a little while."""

    def __init__(self, watches: Watches, ear: Ear) -> None:
        super().__init__(watches, ear)
        self._ear = ear

    def wait(self, timeout: float) -> bool:
        return super().wait(timeout) if self._ear.must_poll else LocalWatch.wait(self, timeout)

    def close(self) -> None:
        super().close()
        self._ear.leave(self)


def _has_come(events: list[tuple[int, int]], end: socket.socket) -> bool:
    return any(descriptor == end.fileno() for descriptor, _ in events)
