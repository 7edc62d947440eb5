"""How busy the server and the machine are while something runs."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from types import TracebackType

from benchmarks.databases.base import Database
from benchmarks.measure import busy_seconds


@dataclass(frozen=True, slots=True)
class Load:
    """Processor time that is used, in cores; None: the system does not say."""

    server: float | None
    """None: there is no server, or it is on another machine."""
    machine: float | None
    """By everything on this machine."""

    def __str__(self) -> str:
        server = [] if self.server is None else [f"server {self.server:.2f} of a core"]
        machine = [] if self.machine is None else [f"{self.machine:.2f} of {os.cpu_count()} cores in use"]
        return ", ".join([*server, *machine])


class Measured:
    """Measures the load while it is entered."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.load = Load(None, None)

    def __enter__(self) -> None:
        self._began = time.perf_counter()
        self._server, self._machine = self._database.server_seconds(), busy_seconds()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        server, machine = self._database.server_seconds(), busy_seconds()
        seconds = time.perf_counter() - self._began
        self.load = Load(_used(self._server, server, seconds), _used(self._machine, machine, seconds))


def _used(before: float | None, after: float | None, seconds: float) -> float | None:
    return None if before is None or after is None else (after - before) / seconds
