"""Chancy: https://tkte.ch/chancy/."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from chancy import Chancy, Queue, job

from benchmarks.peers.job import URL, mark

app = Chancy(URL)


@job()
def noop(*, number: int) -> None:  # noqa: ARG001  # all jobs have numbers
    """Only be counted."""
    mark()


def enqueue(numbers: Iterable[int]) -> None:
    """Enqueue one by one."""
    asyncio.run(_enqueue(numbers))


async def _enqueue(numbers: Iterable[int]) -> None:
    async with app:
        await app.migrate()
        await app.declare(Queue("default", eager_polling=True))  # without, it looks for jobs each 5 s only
        for number in numbers:
            await app.push(noop.job.with_kwargs(number=number))
