"""Waking those who wait for work, within one process."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock


class LocalWatch:
    """Waits until `wake` is called, here or through the `Watches` that made it."""

    def __init__(self, watches: Watches) -> None:
        self._watches = watches
        # Held as long as nobody calls. Not an Event: a signal handler may call wake() while this very thread is inside
        # wait(), and the lock within an Event would stop it for ever.
        self._asleep = Lock()
        self._asleep.acquire()

    def wait(self, timeout: float) -> bool:
        """Return True when there was a call before or during the wait; any number of calls ends one wait."""
        return self._asleep.acquire(timeout=max(timeout, 0.0))

    def wake(self) -> None:
        with suppress(RuntimeError):  # it is released already: called before, and not waited for since
            self._asleep.release()

    def close(self) -> None:
        self._watches.discard(self)
        self.wake()


class Watches:
    """The open watches of one store.

    Without a lock: to add, to remove and to copy are single steps of a dict, and a lock could be held at a fork.
    """

    def __init__(self) -> None:
        self._open: dict[LocalWatch, None] = {}

    def add(self, watch: LocalWatch) -> None:
        """Let `wake_all` reach this watch until it is closed."""
        self._open[watch] = None

    def discard(self, watch: LocalWatch) -> None:
        """Let `wake_all` pass this watch by."""
        self._open.pop(watch, None)

    def wake_all(self) -> None:
        """End the wait of every watch."""
        for watch in list(self._open):
            watch.wake()
