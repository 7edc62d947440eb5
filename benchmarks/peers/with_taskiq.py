"""TaskIQ on a stream of Redis, whose messages are acknowledged: https://taskiq-python.github.io/."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from taskiq_redis import RedisStreamBroker

from benchmarks.peers.job import URL, mark

broker = RedisStreamBroker(url=URL)


@broker.task
async def noop(number: int) -> None:  # noqa: ARG001  # all jobs have numbers
    """Only be counted."""
    mark()


def enqueue(numbers: Iterable[int]) -> None:
    """Enqueue one by one."""
    asyncio.run(_enqueue(numbers))


async def _enqueue(numbers: Iterable[int]) -> None:
    await broker.startup()
    for number in numbers:
        await noop.kiq(number)
    await broker.shutdown()
