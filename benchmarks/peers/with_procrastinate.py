"""Procrastinate: https://procrastinate.readthedocs.io/en/stable/quickstart.html."""

from __future__ import annotations

from collections.abc import Iterable

from procrastinate import App, PsycopgConnector

from benchmarks.peers.job import URL, mark

app = App(connector=PsycopgConnector(conninfo=URL))


@app.task
async def noop(number: int) -> None:  # noqa: ARG001  # all jobs have numbers
    """Only be counted. Async is what its documentation recommends."""
    mark()


def enqueue(numbers: Iterable[int]) -> None:
    """Enqueue one by one."""
    with app.open():
        app.schema_manager.apply_schema()
        for number in numbers:
            noop.defer(number=number)
