"""backburner, on the database of the URL."""

from __future__ import annotations

from collections.abc import Iterable

from backburner import configure, job
from benchmarks.peers.job import URL, mark

app = configure(URL)


@job
def noop(number: int) -> None:  # noqa: ARG001  # all jobs have numbers
    """Only be counted."""
    mark()


def enqueue(numbers: Iterable[int]) -> None:
    """Enqueue one by one."""
    app.migrate()
    for number in numbers:
        noop.delay(number)
