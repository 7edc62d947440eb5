"""Making jobs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

from benchmarks import jobs
from benchmarks.bench import Bench, enqueue_noops
from benchmarks.databases.base import Place
from benchmarks.measure import alternating, rate
from benchmarks.results import Result, line, per_second, rate_line

TURNS = 15
"""How often ours and the floor take turns, with a part of the jobs each time: a disk that is slow for a moment would
otherwise decide who wins.
"""

WARM_UP = 10
"""Jobs before those that count: connections are opened, statements prepared."""


def enqueue_one_by_one(bench: Bench) -> list[Result]:
    """One job, one transaction."""
    count = bench.size(bench.targets.sizes.one_by_one // TURNS)
    with bench.database.fresh() as place, place.floors.one_by_one() as store:
        enqueue = place.app.delay(jobs.noop)
        for _ in range(WARM_UP):
            store()
            enqueue(0)
        floor, ours = alternating(
            lambda: rate(count, lambda: [store() for _ in range(count)]),
            lambda: rate(count, lambda: [enqueue(number) for number in range(count)]),
            rounds=TURNS,
        )
        floors = {place.floors.one_by_one_name: floor}
    return [rate_line("enqueue, one by one", ours, floors, share=bench.targets.enqueue_share)]


def enqueue_in_transaction(bench: Bench) -> list[Result]:
    """A row of the application's own and a job, on its connection."""
    count = bench.size(bench.targets.sizes.one_by_one // TURNS)
    with bench.database.fresh() as place, closing(place.floors.connect()) as connection:
        enqueue = place.app.delay(jobs.noop, connection=connection)
        floor, ours = alternating(
            lambda: rate(count, lambda: _orders(place, connection, count, place.floors.insert_job)),
            lambda: rate(count, lambda: _orders(place, connection, count, lambda _: enqueue(1))),
            rounds=TURNS,
        )
    cost = floor.in_relation_to(ours)
    return [
        line(
            "enqueue, in the user's transaction",
            per_second(ours.median),
            (bench.targets.transaction_cost, cost),
            compared=f"{per_second(floor.median)}: the same with a bare INSERT of the job",
            ratio=f"{cost:.2f} × the time",
        )
    ]


def enqueue_in_bulk(bench: Bench) -> list[Result]:
    """Many jobs in one block."""
    count = bench.size(bench.targets.sizes.bulk)
    with bench.database.fresh() as place:
        names = list(place.floors.bulks)
    ours, *floors = alternating(
        lambda: _bulk_rate(bench, count, lambda place: enqueue_noops(place.app, count)),
        *(_bulk_floor(bench, count, name) for name in names),
    )
    named = dict(zip(names, floors, strict=True))
    return [rate_line("enqueue, in bulk", ours, named, at_least=bench.targets.bulk_rate)]


def _orders(place: Place, connection: Any, count: int, add_job: Callable[[Any], object]) -> None:
    for number in range(count):
        place.floors.insert_order(connection, number)
        add_job(connection)
        connection.commit()


def _bulk_floor(bench: Bench, count: int, name: str) -> Callable[[], float]:
    return lambda: _bulk_rate(bench, count, lambda place: place.floors.bulks[name](count))


def _bulk_rate(bench: Bench, count: int, store: Callable[[Place], None]) -> float:
    with bench.database.fresh() as place:
        return rate(count, lambda: store(place))
