"""RQ: https://python-rq.org/."""

from __future__ import annotations

from collections.abc import Iterable

from redis import Redis
from rq import Queue

from benchmarks.peers.job import URL, mark


def noop(number: int) -> None:  # noqa: ARG001  # all jobs have numbers
    """Only be counted."""
    mark()


def enqueue(numbers: Iterable[int]) -> None:
    """Enqueue one by one."""
    queue = Queue(connection=Redis.from_url(URL))
    for number in numbers:
        queue.enqueue(noop, number)
