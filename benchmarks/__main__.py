"""Run the benchmarks: `python -m benchmarks [--scale 0.1] [workload …]`, or `make bench`."""

from __future__ import annotations

import argparse
import platform
import sqlite3
import sys

from benchmarks.measure import Result, bare_loop_rounds, print_table
from benchmarks.workloads import WORKLOADS, Bench, reference_speed


def main() -> int:
    """Run the workloads that were named, or all; exit with 1 when a target was missed."""
    arguments = _arguments()
    rounds = bare_loop_rounds()
    bench = Bench(reference_speed(rounds), arguments.scale)
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.machine()}")
    print(f"Bare loop: {rounds / 1e6:.1f} M rounds/s; targets in jobs/s are scaled by {bench.speed:.2f}\n")
    results: list[Result] = []
    for name in arguments.workload or WORKLOADS:
        print(f"running: {name}", file=sys.stderr, flush=True)
        results += WORKLOADS[name](bench)
    print_table(results)
    return 1 if any(result.is_met is False for result in results) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure backburner on SQLite.")
    parser.add_argument("workload", nargs="*", help=f"any of {', '.join(WORKLOADS)} (default: all)")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full sizes (default: 1)")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.workload) - set(WORKLOADS))
    if unknown:
        parser.error(f"unknown workload {', '.join(unknown)}: expected any of {', '.join(WORKLOADS)}")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
