"""Celery: https://docs.celeryq.dev/en/stable/getting-started/first-steps-with-celery.html."""

from __future__ import annotations

from collections.abc import Iterable

from celery import Celery

from benchmarks.peers.job import URL, mark

app = Celery("peers", broker=URL)


@app.task
def noop(number: int) -> None:  # noqa: ARG001  # all jobs have numbers
    """Only be counted."""
    mark()


def enqueue(numbers: Iterable[int]) -> None:
    """Enqueue one by one."""
    for number in numbers:
        noop.delay(number)
