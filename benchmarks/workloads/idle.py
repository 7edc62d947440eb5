"""What a worker costs that has nothing to do."""

from __future__ import annotations

import time

from benchmarks.bench import Bench
from benchmarks.measure import cpu_seconds, timed
from benchmarks.processes import idle
from benchmarks.results import Result, line

SETTLING = 3.0
"""Seconds after which a worker has done what it does once."""

LEAST = 10.0


def idle_worker(bench: Bench) -> list[Result]:
    """Its share of a core, and how often it asks the server."""
    database, targets = bench.database, bench.targets
    with database.fresh() as place:
        database.watch_queries(place)
        with idle(place.url) as worker:
            time.sleep(SETTLING)
            seconds, queries = cpu_seconds(worker), database.queries()
            with timed() as timer:
                time.sleep(max(60.0 * bench.scale, LEAST))
            after, asked = cpu_seconds(worker), database.queries()
    share = (after - seconds) / timer.seconds
    lines = [line("idle worker, use of a core", f"{share:.2%}", (targets.idle_core, share), compared="1 core")]
    if queries is not None and asked is not None:
        lines.append(_queries_line(bench, asked - queries, timer.seconds))
    return lines


def _queries_line(bench: Bench, queries: int, seconds: float) -> Result:
    in_five = queries / seconds * 5
    return line(
        "idle worker, queries",
        f"{in_five:.1f} in 5 s",
        (bench.targets.idle_queries, in_five),
        compared=f"{queries} counted by the server in {seconds:.0f} s, BEGIN and COMMIT aside",
    )
