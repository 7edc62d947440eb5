"""A worker in a thread of another program's process, so that one process does for development."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from backburner.app import Backburner, current
from backburner.observe.logs import LOGGER
from backburner.worker.worker import Worker

GRACE = 5.0
"""Seconds that running jobs have when the program ends, unless told otherwise: somebody waits at a terminal."""

PATIENCE = 5.0
"""Seconds beyond the grace in which a worker should be able to interrupt what it runs."""

WARNING = (
    "a worker runs inside of this process, for development only: its jobs share the interpreter with everything else "
    "here, and end with it. In production run `backburner work` beside it"
)


@contextmanager
def embedded_worker(app: Backburner | None = None, **options: Any) -> Iterator[Worker]:
    """Run a worker of an app (default: the current one) in a thread within the block, for development and scripts.

    The options are those of `app.worker`. At the end of the block running jobs may end within `grace`, 5 seconds unless
    told otherwise; after that they are interrupted and given back.
    """
    embedded = _Embedded(app or current(), options)
    embedded.start()
    try:
        yield embedded.worker
    finally:
        embedded.stop()


@asynccontextmanager
async def aembedded_worker(app: Backburner, options: Mapping[str, Any]) -> AsyncIterator[Worker]:
    """Run a worker as `embedded_worker` does, without blocking the event loop."""
    embedded = _Embedded(app, options)
    embedded.start()
    try:
        yield embedded.worker
    finally:
        await asyncio.to_thread(embedded.stop)


class _Embedded:
    """A worker and its thread."""

    def __init__(self, app: Backburner, options: Mapping[str, Any]) -> None:
        self._log = logging.getLogger(LOGGER)
        self.worker = app.worker(**{"grace": GRACE, **options})
        # A daemon: code of a job that nothing can interrupt must not keep the process from ending.
        self._thread = threading.Thread(target=self.worker.run, name="backburner worker", daemon=True)

    def start(self) -> None:
        self._log.warning(WARNING)
        self._thread.start()

    def stop(self) -> None:
        """Stop the worker and wait for its end."""
        self.worker.stop("the program that it runs in ends")
        self._thread.join(self.worker.grace.total_seconds() + PATIENCE)
        if self._thread.is_alive():
            self._log.error("the worker inside of this process did not end: a job cannot be interrupted")
