"""Dramatiq: https://dramatiq.io/guide.html."""

from __future__ import annotations

from collections.abc import Iterable

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from benchmarks.peers.job import URL, mark

dramatiq.set_broker(RedisBroker(url=URL))


@dramatiq.actor
def noop(number: int) -> None:  # noqa: ARG001  # all jobs have numbers
    """Only be counted."""
    mark()


def enqueue(numbers: Iterable[int]) -> None:
    """Enqueue one by one."""
    for number in numbers:
        noop.send(number)
