"""Huey, in the storage of the URL: https://huey.readthedocs.io/en/latest/guide.html."""

from __future__ import annotations

from collections.abc import Iterable

from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey

from benchmarks.peers.job import URL, mark


def _at(url: str) -> Huey:
    if url.startswith("redis:"):
        return RedisHuey(url=url)
    if url.startswith("postgresql:"):
        return PostgresHuey(dsn=url)
    return SqliteHuey(filename=url.removeprefix("sqlite:///").partition("?")[0])  # FULL is its default


huey = _at(URL)


@huey.task()
def noop(number: int) -> None:  # noqa: ARG001  # all jobs have numbers
    """Only be counted."""
    mark()


def enqueue(numbers: Iterable[int]) -> None:
    """Enqueue one by one."""
    for number in numbers:
        noop(number)
