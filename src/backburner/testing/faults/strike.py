"""One strike: counts the places that a job comes through, and kills it at one of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from backburner.core.errors import JobCancelled

LONGEST = 80
"""How much of a statement is shown."""


class Killed(JobCancelled):
    """The job's process was killed, as far as the job can tell.

    Of all ways to end an attempt from outside, this is the one after which nothing more is written about the job.
    """


class Strike:
    """Kills at the place of this number; the first is 1.

    What was killed stays dead: whatever it still tries on a connection raises again, but for undoing its transaction,
    which is what the database does when a process ends.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._come_through = 0
        self.where: str | None = None
        """Where it has killed, if it has."""
        self.statements: int = 0
        """How many statements it saw."""
        self.connections: list[Any] = []
        """The connections that were used."""
        self._busy: set[int] = set()
        """Those with a statement that is made of others, which do not count by themselves."""

    def reach(self, where: str) -> None:
        """Come through a place; raises Killed if it is the one, and everywhere after it."""
        if self.where is None:
            self._come_through += 1
            if self._come_through < self._number:
                return
            self.where = where
        raise Killed(f"killed {self.where}")

    @contextmanager
    def around(self, connection: Any, text: str) -> Iterator[None]:
        """Come through a place before, and one after, a statement that is executed in the block."""
        if not any(known is connection for known in self.connections):
            self.connections.append(connection)
        if id(connection) in self._busy or text.lstrip().upper().startswith("ROLLBACK"):
            yield
            return
        self.statements += 1
        shown = _shown(text)
        self.reach(f"before {shown}")
        self._busy.add(id(connection))
        try:
            yield
        finally:
            self._busy.discard(id(connection))
        self.reach(f"after {shown}")


_current: Strike | None = None


def current() -> Strike | None:
    """Return the strike that is going on in this process."""
    return _current


@contextmanager
def striking(strike: Strike) -> Iterator[None]:
    """Strike within the block, in all threads."""
    global _current  # drivers are used in whichever thread
    _current = strike
    try:
        yield
    finally:
        _current = None


def point(what: str) -> None:
    """Let the job be killed here as well, in tests that do that; elsewhere this does nothing.

    For what is done between statements, as in `point("the card was charged")`.
    """
    if _current is not None:
        _current.reach(f"when {what}")


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
