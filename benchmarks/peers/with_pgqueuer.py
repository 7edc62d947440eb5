"""PgQueuer: https://pgqueuer.readthedocs.io/.

Run as a program it is the worker: `pgq run` of PgQueuer 1.6.0 ends at once beside Typer 0.29.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from benchmarks.peers.job import URL, mark


async def main() -> None:
    """Perform jobs, as `pgq run` does."""
    pgq = PgQueuer(AsyncpgDriver(await asyncpg.connect(URL)))

    @pgq.entrypoint("noop")
    async def noop(job: Job) -> None:  # noqa: ARG001  # as PgQueuer calls it
        mark()

    await pgq.run()


def enqueue(numbers: Iterable[int]) -> None:
    """Enqueue one by one."""
    asyncio.run(_enqueue(numbers))


async def _enqueue(numbers: Iterable[int]) -> None:
    connection = await asyncpg.connect(URL)
    queries = Queries(AsyncpgDriver(connection))
    await queries.install()
    for number in numbers:
        await queries.enqueue("noop", str(number).encode())
    await connection.close()


if __name__ == "__main__":
    uvloop.run(main())
