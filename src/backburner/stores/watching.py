"""Waking those who wait for work, within one process."""

from __future__ import annotations

from queue import Empty, SimpleQueue


class LocalWatch:
    """Waits until `wake` is called, here or through the `Watches` that made it."""

    def __init__(self, watches: Watches) -> None:
        self._watches = watches
        # Not an Event: a signal handler may call wake() while this very thread is inside wait(), and only the
        # put() of a SimpleQueue may interrupt itself.
        self._calls: SimpleQueue[None] = SimpleQueue()

    def wait(self, timeout: float) -> bool:
        """Return True when there was a call before or during the wait; any number of calls ends one wait."""
        try:
            self._calls.get(timeout=max(timeout, 0))
        except Empty:
            return False
        self._forget_calls()
        return True

    def wake(self) -> None:
        self._calls.put(None)

    def close(self) -> None:
        self._watches.discard(self)
        self.wake()

    def _forget_calls(self) -> None:
        try:
            while True:
                self._calls.get_nowait()
        except Empty:
            return


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
