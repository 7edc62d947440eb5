"""Noticing what other connections commit to an SQLite file."""

from __future__ import annotations

import os
from collections.abc import Callable
from time import monotonic

from backburner.stores.watching import LocalWatch, Watches

INTERVAL = 0.0075
"""Seconds between two looks: half of it is the usual delay. Most of what a look costs is the waking up."""

SURE_EVERY = 16
"""One look in so many asks the database itself."""


class FileWatch(LocalWatch):
    """Waits until `wake` is called or another connection commits.

    To ask the database takes two or three times as long as to ask for the time of the last change of its write-ahead
    log. That time is coarse, some milliseconds, so two commits may share it, and now and then the database is asked
    all the same.
    """

    def __init__(self, watches: Watches, path: str, data_version: Callable[[], int | None]) -> None:
        super().__init__(watches)
        self._log = f"{path}-wal"
        self._data_version = data_version
        self._looks = 0
        self._seen_log: tuple[int, int] | None = None
        self._seen = data_version()

    def wait(self, timeout: float) -> bool:
        deadline = monotonic() + timeout
        while not self._has_changed():
            left = deadline - monotonic()
            if super().wait(min(left, INTERVAL)):
                return True
            if left <= INTERVAL:
                return self._has_changed()
        return True

    def _has_changed(self) -> bool:
        self._looks += 1
        log = self._state_of_log()  # before the version: what is committed in between is seen at the next look
        if log is not None and log == self._seen_log and self._looks % SURE_EVERY:
            return False
        version = self._data_version()
        if version is None:
            return False
        self._seen_log = log
        if version == self._seen:
            return False
        self._seen = version
        return True

    def _state_of_log(self) -> tuple[int, int] | None:
        """Return what changes with each commit; None when there is no log."""
        try:
            found = os.stat(self._log)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size
