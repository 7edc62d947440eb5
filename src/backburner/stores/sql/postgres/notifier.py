"""Telling other processes that there may be work, never in anybody's transaction and never in anybody's way."""

from __future__ import annotations

import atexit
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, sleep
from typing import Any, NamedTuple
from weakref import WeakSet, ref

import psycopg
from psycopg.pq import TransactionStatus

from backburner.core.errors import BackburnerError

GAP = 0.01
"""Seconds between two notices: a commit with a notice waits for all others with one, on the whole server."""

IDLE = 30.0
"""Seconds after which the thread ends."""

FIRST_LOOK, LAST_LOOK, LONGEST_LOOK = 0.001, 0.05, 60.0
"""Seconds between two looks at the callers' transactions, at first and in the end; and how long one is looked at."""

LAST_WORDS = 0.5
"""Seconds that a process may take to send its last notice."""

ENDED = frozenset({TransactionStatus.IDLE, TransactionStatus.UNKNOWN})
"""What the state of a connection is when its transaction has ended, or when it is closed."""


class Transaction(NamedTuple):
    """The caller's connection, in a transaction with new jobs."""

    connection: ref[Any]
    since: float

    def has_ended(self) -> bool:
        """Whether there is nothing left to wait for."""
        connection = self.connection()
        return connection is None or connection.pgconn.transaction_status in ENDED


class Notifier:
    """Calls `send` in a thread of its own soon after a notice, but not too often. The thread lives while it is used.

    When it was a transaction that had to end first, `ended` is called too, at once.

    Without a lock: whoever enqueues must not be held up, and may be broken off by an exception at any point.
    """

    def __init__(self, send: Callable[[], None], ended: Callable[[], None]) -> None:
        self._send = send
        self._ended = ended
        self.start_afresh()
        _notifiers.add(self)

    def start_afresh(self) -> None:
        """Begin without a thread."""
        self._thread: threading.Thread | None = None
        self._is_wanted = False
        self._is_sending = False
        self._pause = IDLE
        """For how long the thread rests."""
        self._transactions: dict[int, Transaction] = {}
        """One for each connection."""
        self._begun: deque[Transaction] = deque()
        self._called = threading.Lock()
        self._called.acquire()

    @property
    def is_busy(self) -> bool:
        """Whether something is still to be sent."""
        return self._is_wanted or self._is_sending or bool(self._begun) or bool(self._transactions)

    def notice(self) -> None:
        """Send a notice."""
        self._is_wanted = True
        self._call()

    def notice_after(self, connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> None:
        """Send a notice when the transaction of this connection has ended."""
        transaction = Transaction(ref(connection), monotonic())
        if transaction.has_ended():
            self._ended()
            self.notice()
        else:
            self._begun.append(transaction)
            if self._thread is None or self._pause > FIRST_LOOK:  # else it is about to look by itself
                self._call()

    def finish(self) -> None:
        """Wait a moment for what is still to be sent."""
        deadline = monotonic() + LAST_WORDS
        while self.is_busy and monotonic() < deadline:
            sleep(FIRST_LOOK)

    def _call(self) -> None:
        if self._called.locked():  # else it was called already, and has not come to it yet
            with suppress(RuntimeError):
                self._called.release()
        if self._thread is None:
            thread = threading.Thread(target=self._work, name="backburner-notifier", daemon=True)
            self._thread = thread
            with suppress(RuntimeError):  # no thread can be started while Python ends
                thread.start()

    def _work(self) -> None:
        look = FIRST_LOOK
        while True:
            wait = self._next_pause(look)
            was_called = self._called.acquire(timeout=wait)
            look = FIRST_LOOK if self._begun else min(look * 1.2, LAST_LOOK)
            self._look_at_transactions()
            if self._is_wanted:
                self._send_one()
                sleep(GAP)  # whoever calls meanwhile is not woken for, but remembered
            elif not was_called and wait == IDLE:
                # Whoever calls from now on starts another thread; who called just before has left word.
                self._thread = None
                if not self.is_busy:
                    return
                self._thread = threading.current_thread()

    def _next_pause(self, look: float) -> float:
        """Say for how long to rest, before it is looked for the last time whether somebody relies on being seen."""
        self._pause = look if self._transactions else IDLE
        if self._is_wanted:
            self._pause = 0.0
        elif self._begun:
            self._pause = FIRST_LOOK
        return self._pause

    def _look_at_transactions(self) -> None:
        has_news = self._take_begun()
        too_old = monotonic() - LONGEST_LOOK
        open_ones = {key: each for key, each in self._transactions.items() if not each.has_ended()}
        if has_news or len(open_ones) < len(self._transactions):
            self._is_wanted = True
            self._ended()
        self._transactions = {key: each for key, each in open_ones.items() if each.since > too_old}

    def _take_begun(self) -> bool:
        """Note new transactions; say whether one may have ended unseen, because its connection is in another one."""
        may_have_ended = False
        while self._begun:
            transaction = self._begun.popleft()
            key = id(transaction.connection())
            may_have_ended = may_have_ended or key in self._transactions
            self._transactions[key] = transaction
        return may_have_ended

    def _send_one(self) -> None:
        self._is_sending, self._is_wanted = True, False
        # When the database cannot be reached, the workers that cannot reach it either look for jobs when they can.
        with suppress(BackburnerError):
            self._send()
        self._is_sending = False


_notifiers: WeakSet[Notifier] = WeakSet()


@atexit.register
def _finish() -> None:
    for notifier in list(_notifiers):
        notifier.finish()
