"""What a worker shows of itself while it works: numbers in a page of memory, which its supervisor may see too.

Each number has one writer, and eight bytes are written at once, so nobody needs a lock, and to write one costs next to
nothing. Times are of the monotonic clock, which all processes of a machine share; 0 is never.
"""

from __future__ import annotations

from typing import Any

PERFORMED = 4
"""The place of the one number that is written for every job."""

WORKING = 0

LEAVING = 1
"""The worker makes way for a fresh process."""

STOPPED = 2
"""The worker was told to stop."""


class Cell:
    """A number at a fixed place of a page."""

    def __init__(self, place: int) -> None:
        self._place = place

    def __get__(self, page: Page, _: object) -> float:
        return page.cells[self._place]

    def __set__(self, page: Page, value: float) -> None:
        page.cells[self._place] = value


class Page:
    """The numbers of one worker process.

    `seats` is how many jobs it may perform at once; `memory` anything writable of `size(seats)` zeros.
    """

    worker: Cell = Cell(0)
    """The number under which the worker is registered in the store; 0 while it is not."""
    pulse_at: Cell = Cell(1)
    """When it last said that it lives."""
    progress_at: Cell = Cell(2)
    """When it last looked for work."""
    contact_at: Cell = Cell(3)
    """When the store last answered it."""
    performed: Cell = Cell(PERFORMED)
    """How many attempts it made."""
    is_leaving: Cell = Cell(5)
    """WORKING, LEAVING or STOPPED."""
    beaten_at: Cell = Cell(6)
    """When the supervisor last began to beat for the worker, with success. The only one that the supervisor writes."""

    def __init__(self, seats: int, memory: Any = None) -> None:
        self.cells: memoryview[float] = memoryview(bytearray(self.size(seats)) if memory is None else memory).cast("d")
        self.deadlines: memoryview[float] = self.cells[_FIRST_SEAT:]
        """When each running job must have ended; 0 on seats that are free."""

    @staticmethod
    def size(seats: int) -> int:
        """Return how many bytes a page takes."""
        return 8 * (_FIRST_SEAT + seats)

    @classmethod
    def shared(cls, seats: int) -> Page:
        """Make a page that processes share which are forked from now on."""
        from mmap import mmap

        return cls(seats, mmap(-1, cls.size(seats)))

    @classmethod
    def in_file(cls, seats: int, file: int) -> Page:
        """Make a page that is shared by all who do this with the same file."""
        from mmap import mmap

        return cls(seats, mmap(file, cls.size(seats)))

    @property
    def is_performing(self) -> bool:
        """Whether it performs any job."""
        return any(self.deadlines)

    @property
    def earliest_deadline(self) -> float | None:
        """When the first of the running jobs must have ended; None while none runs."""
        return min((deadline for deadline in self.deadlines if deadline), default=None)


_FIRST_SEAT = 7
