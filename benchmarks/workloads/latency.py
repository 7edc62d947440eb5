"""How soon a job starts when a worker waits for it."""

from __future__ import annotations

import random
import time
from pathlib import Path

from backburner import Backburner
from benchmarks import jobs
from benchmarks.bench import Bench
from benchmarks.databases.base import Filling, Place
from benchmarks.measure import percentile
from benchmarks.processes import idle
from benchmarks.results import Result, line
from benchmarks.targets import Goal

IDLE = 0.1
"""Seconds between two jobs, on the average: worker and wake-up are at rest again."""

BRISK = 0.02
"""Likewise, where jobs come one after the other: a wake-up may be kept back, to serve for several."""

PATIENCE = 10.0
"""Seconds after the last job in which all must have been performed."""

LOOK_EVERY = 0.01

COMPARED = "from enqueue in one process to perform in another"


def latency(bench: Bench) -> list[Result]:
    """In an empty table, idle and brisk, and in one with a million jobs of the future."""
    future = bench.size(bench.targets.sizes.deep)
    with bench.database.fresh() as place:
        lines = _judged(bench, "latency, idle worker", _milliseconds(bench, place, IDLE))
    with bench.database.fresh() as place:
        lines += _lines(f"latency, a job each {BRISK * 1000:.0f} ms", _milliseconds(bench, place, BRISK))
    with bench.database.fresh() as place:
        bench.database.fill(place, Filling.FUTURE, future)
        bench.database.settle(place)
        return lines + _judged(bench, f"latency, {future:,} future jobs", _milliseconds(bench, place, IDLE))


def _judged(bench: Bench, name: str, milliseconds: list[float]) -> list[Result]:
    return _lines(name, milliseconds, bench.targets.p50, bench.targets.p99)


def _lines(name: str, milliseconds: list[float], p50: Goal | None = None, p99: Goal | None = None) -> list[Result]:
    half, most = percentile(milliseconds, 0.5), percentile(milliseconds, 0.99)
    return [
        line(f"{name}, p50 of {len(milliseconds)}", f"{half:.1f} ms", (p50, half), compared=COMPARED),
        line(f"{name}, p99", f"{most:.1f} ms", (p99, most), compared=COMPARED),
    ]


def _milliseconds(bench: Bench, place: Place, pause: float) -> list[float]:
    count, path = bench.size(300), place.folder / "latencies"
    path.touch()
    with idle(place.url):
        _enqueue_slowly(place.app, count, str(path), pause)
        noted = _wait_for(path, count)
    return [float(said) * 1000 for said in noted]


def _enqueue_slowly(app: Backburner, count: int, path: str, pause: float) -> None:
    """Enqueue in uneven steps, which are in time with nobody's looking."""
    steps = random.Random(count)  # noqa: S311  # the same at each run
    for _ in range(count):
        time.sleep(pause * steps.uniform(0.7, 1.3))
        app.delay(jobs.note_latency)(time.time(), path)


def _wait_for(path: Path, count: int) -> list[str]:
    deadline = time.monotonic() + PATIENCE
    while len(noted := path.read_text().split()) < count:
        if time.monotonic() > deadline:
            raise AssertionError(f"expected {count} jobs to be performed, got {len(noted)}")
        time.sleep(LOOK_EVERY)
    return noted
