"""What happened in a run, written down outside of what is tested: a file for each process, a line for each event.

A line is one `write` to a file that is only appended to, so that a process may be killed at any moment: what it had
said stays said. Times are of the monotonic clock, which all processes of a machine share, and of the wall clock.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from sys import intern
from typing import NamedTuple

VARIABLE = "BACKBURNER_TEST_HISTORY"
"""Names the folder for processes that are started."""


class Event(NamedTuple):
    """Something that happened.

    | kind       | what                                                                        | detail               |
    |------------|-----------------------------------------------------------------------------|----------------------|
    | enqueuing  | a job is about to be sent to the store                                      |                      |
    | enqueued   | the store has said that it keeps it                                         |                      |
    | withdrawn  | the transaction that it was part of was rolled back, or never committed     |                      |
    | claimed    | a worker was told that it has the job                                       | see `ClaimDetail`    |
    | started    | the job was begun                                                           |                      |
    | ended      | the job's code came to its end                                              | how                  |
    | applied    | the store has said that a settlement was applied                            | move, when sent      |
    | refused    | the store has said that it was not, as the lease had been lost              | move, when sent      |
    | unanswered | a settlement was sent, and nobody knows                                     | move, when sent      |
    | fault      | somebody let something go wrong; `lease` is the process that it happened to | class of the fault   |
    """

    at: float
    wall: float
    pid: int
    kind: str
    job: str
    lease: int
    detail: str


class ClaimDetail(NamedTuple):
    """What is written of a claimed job."""

    seats: int
    """How many jobs the worker performs at once."""
    priority: int
    run_at: int
    """In microseconds."""
    place: int
    """Its place in the reply."""
    sent: float
    """When the claim was sent; the event is that its reply was read, perhaps long after it was made."""

    def __str__(self) -> str:
        return f"{self.seats} {self.priority} {self.run_at} {self.place} {self.sent:.6f}"

    @classmethod
    def of(cls, event: Event) -> ClaimDetail:
        """Read what was written."""
        seats, priority, run_at, place, sent = event.detail.split(" ")
        return cls(int(seats), int(priority), int(run_at), int(place), float(sent))


class History:
    """The events of one run, in a folder."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._file = -1
        self._pid = 0

    def note(self, kind: str, job: object = "-", lease: int = 0, detail: object = "") -> None:
        """Write down that something happened just now."""
        self.note_all([(kind, job, lease, detail)])

    def note_all(self, events: list[tuple[str, object, int, object]]) -> None:
        """Write down several events that happened just now, at once."""
        pid = os.getpid()
        if pid != self._pid:  # also in a child that was forked
            self._open(pid)
        moment = f"{time.monotonic():.6f} {time.time():.3f} {pid}"
        lines = "".join(f"{moment} {kind} {job} {lease} {detail}\n" for kind, job, lease, detail in events)
        os.write(self._file, lines.encode())

    def events(self) -> list[Event]:
        """Return all that was written down, in the order of time."""
        found = [event for path in self.folder.glob("*.history") for event in _read(path)]
        return sorted(found, key=lambda event: event.at)

    def _open(self, pid: int) -> None:
        self._file = os.open(self.folder / f"{pid}.history", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._pid = pid


_current: History | None = None


def history() -> History:
    """Return the history of the run that this process belongs to."""
    global _current
    if _current is None or str(_current.folder) != os.environ[VARIABLE]:
        _current = History(os.environ[VARIABLE])
    return _current


def _read(path: Path) -> Iterator[Event]:
    for line in path.read_text().splitlines(keepends=True):
        if line.endswith("\n"):  # else it was cut off
            at, wall, pid, kind, job, lease, detail = line[:-1].split(" ", 6)
            yield Event(float(at), float(wall), int(pid), intern(kind), intern(job), int(lease), detail)
