"""Noticing what other connections commit to an SQLite file."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from backburner.stores.watching import LocalWatch, Watches

INTERVAL = 0.0075
"""Seconds between two looks: half of it is the usual delay. A look costs 50 to 80 µs, most of it for waking up."""


class FileWatch(LocalWatch):
    """Waits until `wake` is called or another connection commits."""

    def __init__(self, watches: Watches, data_version: Callable[[], int | None]) -> None:
        super().__init__(watches)
        self._data_version = data_version
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
        version = self._data_version()
        if version is None or version == self._seen:
            return False
        self._seen = version
        return True
