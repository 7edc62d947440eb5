"""Draining while somebody's old transaction keeps the database from forgetting."""

from __future__ import annotations

from benchmarks import jobs
from benchmarks.bench import Bench, checked, enqueue_calls
from benchmarks.processes import Order, drain
from benchmarks.results import Result, line, per_second

WARM_UP = 1_000
"""Jobs before the first tenth: the worker begins with small claims."""


def pinned_horizon(bench: Bench) -> list[Result]:
    """Compare the last tenth of the jobs with the first."""
    count, targets = bench.size(bench.targets.sizes.pinned), bench.targets
    with bench.database.fresh() as place, bench.database.held_back(place):
        enqueue_calls(place.app, WARM_UP + count, jobs.mark)
        done = checked(drain(Order(place.url, warm_up=WARM_UP)), WARM_UP + count)
    first, last = (count / 10 / done.tenths[tenth] for tenth in (0, -1))
    share = last / first
    return [
        line(
            f"drain beside an old transaction, last tenth of {count:,}",
            per_second(last),
            (targets.pinned_rate, last),
            (targets.pinned_share, share),
            compared=f"{per_second(first)}: the first tenth",
            ratio=f"{share:.0%}",
        )
    ]
