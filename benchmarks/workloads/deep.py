"""Tables that hold many jobs which are in nobody's way."""

from __future__ import annotations

from benchmarks.bench import Bench, checked, enqueue_noops
from benchmarks.databases.base import Filling, Place
from benchmarks.measure import alternating
from benchmarks.processes import Order, drain
from benchmarks.results import Result, rate_line

QUEUES = ("default",)
"""What the worker serves: the jobs of the other queue are not for it."""


def deep_tables(bench: Bench) -> list[Result]:
    """Drain from deep tables, and from an empty one in turn."""
    return [_deep(bench, filling) for filling in Filling]


def _deep(bench: Bench, filling: Filling) -> Result:
    sizes = bench.targets.sizes
    count = bench.size(sizes.drain // 2)
    others = bench.size(sizes.failed if filling is Filling.FAILED else sizes.deep)
    with bench.database.fresh() as empty, bench.database.fresh() as deep:
        bench.database.fill(deep, filling, others)
        base, ours = alternating(lambda: _drained(bench, empty, count), lambda: _drained(bench, deep, count))
    name = f"drain, {others:,} other jobs {filling.value}"
    return rate_line(name, ours, {"an empty table": base}, share=bench.targets.deep_share)


def _drained(bench: Bench, place: Place, count: int) -> float:
    """Return the rate for jobs that are enqueued now; of a table with others that are ready, those go first."""
    enqueue_noops(place.app, count)
    bench.database.settle(place)
    return checked(drain(Order(place.url, limit=count, queues=QUEUES)), count).rate
