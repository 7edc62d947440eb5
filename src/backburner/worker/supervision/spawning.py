"""Worker processes that begin from nothing: for systems where forking is not safe, and code that cannot bear it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from tempfile import TemporaryFile
from time import monotonic
from typing import NamedTuple

from backburner.worker.page import Page
from backburner.worker.supervision.launching import Child
from backburner.worker.supervision.orders import Orders


class Inheritance(NamedTuple):
    """What a worker process is given by its supervisor: the number of its place, and two descriptors."""

    place: int
    orders: int
    page: int

    @classmethod
    def parse(cls, text: str) -> Inheritance:
        """Read what `str` gives. Raises ValueError."""
        place, orders, page = map(int, text.split(":"))
        return cls(place, orders, page)

    def __str__(self) -> str:
        return ":".join(map(str, self))


class Spawning:
    """Runs a command, with an `Inheritance` as its last argument."""

    def __init__(self, seats: int, command: Sequence[str]) -> None:
        self._seats = seats
        self._command = command

    def launch(self, place: int) -> Child:
        """See `Launcher.launch`."""
        with TemporaryFile(buffering=0) as file:
            # Written, and not only made longer: a page for which a full disk has no room kills who touches it.
            file.write(bytes(Page.size(self._seats)))
            page, orders = Page.in_file(self._seats, file.fileno()), Orders()
            inherited = Inheritance(place, orders.for_worker, file.fileno())
            try:
                process = subprocess.Popen(  # noqa: S603  # the command that this process is
                    [*self._command, str(inherited)], pass_fds=(inherited.orders, inherited.page)
                )
            except OSError:
                orders.close()
                raise
            finally:
                orders.close_for_worker()
        return Child(process, page, orders, monotonic())
