"""The pipe by which a worker in the background tells the one who started it that it works, or why it does not."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic

from backburner.cli.parsing import UsageError
from backburner.core.errors import BackburnerError

READY = b"ready"


class Reporter:
    """The worker's end; without a descriptor nobody is told."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        if descriptor is not None:
            os.set_inheritable(descriptor, False)

    def ready(self) -> None:
        """Say that it works."""
        self._say(READY)

    def failed(self, error: BaseException) -> None:
        """Say why it does not."""
        self._say(str(error).encode(errors="replace"))

    def close(self) -> None:
        """Say nothing more."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _say(self, text: bytes) -> None:
        if self._descriptor is not None:
            with suppress(BrokenPipeError):  # whoever started it has gone
                os.write(self._descriptor, text[: select.PIPE_BUF])
            self.close()


@contextmanager
def reporting(descriptor: int | None) -> Iterator[Reporter]:
    """Report what goes wrong within the block, before it is known that the worker works."""
    reporter = Reporter(descriptor)
    try:
        yield reporter
    except (BackburnerError, UsageError) as error:
        reporter.failed(error)
        raise
    finally:
        reporter.close()


def read_report(descriptor: int, seconds: float) -> bytes | None:
    """Return what a worker reports: READY, what is wrong, or nothing when it has ended; None when that takes longer."""
    report, until = b"", monotonic() + seconds
    while select.select([descriptor], [], [], max(until - monotonic(), 0.0))[0]:
        data = os.read(descriptor, 65_536)
        if not data:
            return report
        report += data
    return None
