"""Whether a worker's memory grows with the number of its jobs."""

from __future__ import annotations

from benchmarks.bench import Bench
from benchmarks.results import Result, line


def memory(bench: Bench) -> list[Result]:
    """Compare the most memory that a worker holds with that in a fifth of the jobs.

    A fifth is enough to fill SQLite's page cache, 32 MB a connection.
    """
    count = bench.size(bench.targets.sizes.memory)
    few, many = bench.drained(count // 5), bench.drained(count)
    grown = many.memory - few.memory
    return [
        line(
            f"memory, {many.jobs:,} jobs",
            f"{many.memory:.1f} MiB",
            (bench.targets.memory_growth, grown),
            compared=f"{few.memory:.1f} MiB: {few.jobs:,} jobs",
            ratio=f"{grown:+.1f} MiB",
        )
    ]
