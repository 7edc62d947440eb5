"""An event loop whose timers ring when they are due: asyncio's own are rounded up to whole milliseconds on Linux.

`epoll_wait` knows no shorter times. Many jobs that wait a little, for a reply from elsewhere, would each wait for up to
a millisecond longer, and be late together.
"""

from __future__ import annotations

import asyncio
import select
import selectors
from typing import Any

MOST_DESCRIPTORS = 1024
"""`select` knows no higher ones."""


def new_loop() -> asyncio.AbstractEventLoop:
    """Make an event loop; where there is no epoll, its timers are exact anyway."""
    if not hasattr(selectors, "EpollSelector"):
        return asyncio.new_event_loop()
    return asyncio.SelectorEventLoop(_exact_selector())


def _exact_selector() -> selectors.BaseSelector:
    class ExactSelector(selectors.EpollSelector):
        """Waits for its epoll with `select`, whose times are in microseconds, and only then asks what has come."""

        def select(self, timeout: float | None = None) -> list[Any]:
            number = self.fileno()
            if timeout is not None and timeout > 0 and number < MOST_DESCRIPTORS:
                select.select([number], [], [], timeout)
                timeout = 0
            return super().select(timeout)

    return ExactSelector()
