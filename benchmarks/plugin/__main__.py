"""Measure what the pytest plugin adds, and how long jobs take in tests: `python -m benchmarks.plugin`."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterator

from benchmarks.plugin import collecting, tests_with_jobs
from benchmarks.plugin.in_a_child import in_a_child
from benchmarks.plugin.notes import measured_in_tests
from benchmarks.results import Result, print_table


def main() -> int:
    """Print a table; exit with 1 when a target was missed."""
    arguments = _arguments()
    print(f"Python {platform.python_version()}, {platform.machine()}", flush=True)
    results = list(_results(arguments.count, arguments.turns))
    print_table(results)
    return 1 if any(result.is_met is False for result in results) else 0


def _results(count: int, turns: int) -> Iterator[Result]:
    yield collecting.what_the_plugin_adds(count, turns)
    yield from in_a_child(measured_in_tests, count, max(1, turns // 4))
    yield from tests_with_jobs.beside_tests_without(count, max(1, turns // 4))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plugin", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000, help="tests in a suite, and jobs in a test (default: 1000)")
    parser.add_argument("--turns", type=int, default=60, help="turns with and without the plugin (default: 60)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
