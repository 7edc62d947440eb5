"""Noticing what other connections commit to an SQLite file."""

from __future__ import annotations

from collections.abc import Callable
from os import stat
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
        self._seen_log: int | None = None
        self._seen = data_version()

    def wait(self, timeout: float) -> bool:
        deadline = monotonic() + timeout
        wait = self._asleep.acquire
        while not self._has_changed():
            left = deadline - monotonic()
            if wait(timeout=min(left, INTERVAL) if left > 0 else 0):
                return True
            if left <= INTERVAL:
                return self._has_changed()
        return True

    def _has_changed(self) -> bool:
        self._looks += 1
        try:
            log = stat(self._log).st_mtime_ns  # before the version: what is committed in between is seen the next time
        except OSError:  # there is no log
            log = None
        if log == self._seen_log and log is not None and self._looks % SURE_EVERY:
            return False
        version = self._data_version()
        if version is None:
            return False
        self._seen_log = log
        if version == self._seen:
            return False
        self._seen = version
        return True
