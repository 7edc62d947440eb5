"""Run the benchmarks: `python -m benchmarks [--store postgres] [--scale 0.1] [workload …]`, or `make bench`."""

from __future__ import annotations

import argparse
import platform
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace
from textwrap import shorten

from benchmarks.bench import Bench
from benchmarks.databases.stores import STORES, database_at, name_of, store_of
from benchmarks.measure import bare_loop_rounds
from benchmarks.results import Result, print_table
from benchmarks.targets import REFERENCE_ROUNDS
from benchmarks.workloads import WORKLOADS

ALL = "all"

LONGEST_REASON = 100
"""Characters in the table; all of it is written when it happens."""


def main() -> int:
    """Run the workloads that were named, or all; exit with 1 when a target was missed, or something not measured."""
    arguments = _arguments()
    rounds = bare_loop_rounds()
    speed = rounds / REFERENCE_ROUNDS
    say(f"Python {platform.python_version()}, {platform.machine()}")
    say(f"Bare loop: {rounds / 1e6:.1f} M rounds/s; targets in jobs/s are scaled by {speed:.2f}")
    results: list[Result] = []
    try:
        for store in arguments.store:
            url = arguments.urls.get(store)
            results.extend(_measured(store, url, speed, arguments.scale, arguments.workload or list(WORKLOADS)))
    finally:  # what there is, also when it is interrupted
        print()
        print_table(results)
    return 1 if any(result.is_met is False for result in results) else 0


def say(text: str) -> None:
    """Say at once what is going on."""
    print(text, flush=True)


def _measured(store: str, url: str | None, speed: float, scale: float, workloads: Sequence[str]) -> Iterator[Result]:
    """Yield the results of one store; or one that says loudly why there are none."""
    try:
        with database_at(store, url, speed) as database:
            say(f"{database.name} {database.description}")
            for name in workloads:
                say(f"running: {database.name}, {name}")
                yield from (replace(result, store=database.name) for result in _results(name, Bench(database, scale)))
    except Exception as error:  # the server is missing, for instance, or cannot be reached, or is not durable
        yield replace(_failure("all", _described(error)), store=name_of(store))


def _results(name: str, bench: Bench) -> Sequence[Result]:
    """Run one workload; what goes wrong must not cost the results of the others."""
    try:
        return WORKLOADS[name](bench)
    except Exception as error:
        traceback.print_exc()
        return [_failure(name, _described(error))]


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _failure(name: str, why: str) -> Result:
    reason = " ".join(why.split())
    print(f"NOT MEASURED: {name}: {reason}", file=sys.stderr, flush=True)
    return Result(name, f"NOT MEASURED: {shorten(reason, LONGEST_REASON, placeholder=' …')}", is_met=False)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure backburner and its stores.")
    parser.add_argument("workload", nargs="*", help=f"any of {', '.join(WORKLOADS)} (default: all)")
    parser.add_argument(
        "--store", action="append", choices=[*STORES, ALL], help="default: all, or those of the URLs; may be repeated"
    )
    parser.add_argument(
        "--url", action="append", default=[], help="measure on this server (an administrator's URL); may be repeated"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full sizes (default: 1)")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.workload) - set(WORKLOADS))
    if unknown:
        parser.error(f"unknown workload {', '.join(unknown)}: expected any of {', '.join(WORKLOADS)}")
    try:
        arguments.urls = {store_of(url): url for url in arguments.url}
    except ValueError as error:
        parser.error(str(error))
    wanted = arguments.store or list(arguments.urls) or [ALL]
    arguments.store = list(STORES) if ALL in wanted else list(dict.fromkeys(wanted))
    return arguments


if __name__ == "__main__":
    sys.exit(main())
