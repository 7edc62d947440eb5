"""The workloads on SQLite. Each returns lines of the table; sizes shrink with `scale`."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backburner import Backburner
from benchmarks import floors, jobs
from benchmarks.measure import REFERENCE_ROUNDS, Result, cpu_seconds, percentile, rate, timed
from benchmarks.processes import Drained, drain, start, stop, wait_until_ready

FLOOR_BATCH = 250

BLOCK = 100_000
"""Jobs in one block of `bulk()`."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What the workloads share."""

    speed: float
    """This machine's speed in the bare loop, where that of the targets is 1."""
    scale: float
    """1 for the full sizes."""

    def size(self, full: int) -> int:
        """Return how many jobs to use instead of `full`."""
        return max(int(full * self.scale), 100)


@contextmanager
def fresh_app() -> Iterator[tuple[Backburner, Path]]:
    """Make an app on an empty SQLite file, with its tables."""
    with tempfile.TemporaryDirectory(prefix="backburner-bench-") as folder:
        path = Path(folder) / "bench.db"
        with Backburner(f"sqlite:///{path}", allow=["benchmarks"]) as app:
            app.migrate()
            yield app, path


def enqueue_one_by_one(bench: Bench) -> list[Result]:
    """One job, one transaction."""
    count = bench.size(20_000)
    with fresh_app() as (_, path):
        floor = rate(count, lambda: floors.enqueue_one_by_one(path, count))
    with fresh_app() as (app, _):
        enqueue = app.delay(jobs.noop)
        ours = rate(count, lambda: [enqueue(number) for number in range(count)])
    return [_compared("enqueue, one by one", ours, floor, "≥ 50 % of the floor", ours / floor >= 0.5)]


def enqueue_in_bulk(bench: Bench) -> list[Result]:
    """Many jobs in one block."""
    count = bench.size(100_000)
    with fresh_app() as (_, path):
        floor = rate(count, lambda: floors.enqueue_in_bulk(path, count))
    with fresh_app() as (app, _):
        ours = rate(count, lambda: _enqueue_noops(app, count))
    target = 60_000 * bench.speed
    return [_compared("enqueue, in bulk", ours, floor, f"≥ {target:,.0f}/s", ours >= target)]


def drain_with_processes(bench: Bench) -> list[Result]:
    """No-op jobs, with one and with two worker processes."""
    count = bench.size(60_000)
    floor = _floor_of_drain(count)
    one = _drain(count, workers=1)
    two = _drain(2 * count, workers=2)
    objects = _drain(count, workers=1, enqueue=_enqueue_objects)
    target = 20_000 * bench.speed
    return [
        _compared("drain, 1 process", _rate(one), floor, f"≥ {target:,.0f}/s", _rate(one) >= target),
        _compared("drain, 1 process, job objects with 3 hooks", _rate(objects), floor),
        Result(
            "drain, 2 processes",
            f"{_rate(two):,.0f}/s",
            f"{_rate(one):,.0f}/s (1 process)",
            f"{_rate(two) / _rate(one):.2f}",
            "≥ 1.2 × one",
            _rate(two) >= 1.2 * _rate(one),
        ),
    ]


def latency_of_an_idle_worker(bench: Bench) -> list[Result]:
    """From enqueue in this process to perform in another, which has nothing else to do."""
    with fresh_app() as (app, _):
        return _latency(app, bench, "latency")


def depth(bench: Bench) -> list[Result]:
    """Measure the drain and the latency again, with 1 M jobs of the future in the table."""
    count, future = bench.size(30_000), bench.size(1_000_000)
    empty = _rate(_drain(count, workers=1))
    with fresh_app() as (app, _):
        _enqueue_noops(app, future, run_at=30 * 86_400)
        _enqueue_noops(app, count)
        deep = _rate(drain(app.store.url, 1))
        latency = _latency(app, bench, f"latency, {future:,} future jobs")
    ratio = deep / empty
    name = f"drain, {future:,} future jobs"
    line = Result(name, f"{deep:,.0f}/s", f"{empty:,.0f}/s (none)", f"{ratio:.2f}", "≥ 0.9", ratio >= 0.9)
    return [line, *latency]


def memory(bench: Bench) -> list[Result]:
    """Compare the most memory that a worker holds in 1 M jobs with that in a fifth of them.

    A fifth is enough to fill SQLite's page cache, 32 MB a connection.
    """
    count = bench.size(1_000_000)
    few, many = _drain(count // 5, workers=1), _drain(count, workers=1)
    grown = many.memory - few.memory
    value, first = f"{many.memory:.1f} MiB", f"{few.memory:.1f} MiB ({few.jobs:,} jobs)"
    return [Result(f"memory, {many.jobs:,} jobs", value, first, f"+{grown:.1f} MiB", "≤ 5 MiB more", grown <= 5)]


def once_each(bench: Bench) -> list[Result]:
    """Four processes, every job performed once, none lost."""
    count = bench.size(100_000)
    with fresh_app() as (app, path):
        folder = path.parent / "seen"
        folder.mkdir()
        with app.bulk():
            enqueue = app.delay(jobs.note_number)
            for number in range(count):
                enqueue(number, str(folder))
        done = drain(app.store.url, 4)
        seen = Counter(line for file in folder.iterdir() for line in file.read_text().split())
    lost, twice = count - len(seen), sum(times > 1 for times in seen.values())
    value = f"{lost} lost, {twice} twice, {_rate(done):,.0f}/s"
    return [Result(f"4 processes, {count:,} jobs", value, target="0 lost, 0 twice", is_met=(lost, twice) == (0, 0))]


WORKLOADS: dict[str, Callable[[Bench], list[Result]]] = {
    "enqueue": enqueue_one_by_one,
    "bulk": enqueue_in_bulk,
    "drain": drain_with_processes,
    "latency": latency_of_an_idle_worker,
    "depth": depth,
    "memory": memory,
    "once": once_each,
}


def reference_speed(rounds: float) -> float:
    """Return this machine's speed, where that of the targets is 1."""
    return rounds / REFERENCE_ROUNDS


def _enqueue_noops(app: Backburner, count: int, **options: Any) -> None:
    enqueue = app.delay(jobs.noop, **options)
    for first in range(0, count, BLOCK):
        with app.bulk():
            for number in range(first, min(first + BLOCK, count)):
                enqueue(number)


def _enqueue_objects(app: Backburner, count: int) -> None:
    app.enqueue_all(jobs.NoopObject(number) for number in range(count))


def _drain(count: int, workers: int, enqueue: Callable[[Backburner, int], None] = _enqueue_noops) -> Drained:
    with fresh_app() as (app, _):
        enqueue(app, count)
        done = drain(app.store.url, workers)
    if done.jobs != count:
        raise AssertionError(f"expected {count} jobs to be performed, got {done.jobs}")
    return done


def _floor_of_drain(count: int) -> float:
    with fresh_app() as (_, path):
        floors.enqueue_in_bulk(path, count)
        drained: list[int] = []
        floor = rate(count, lambda: drained.append(floors.drain(path, FLOOR_BATCH)))
    if drained != [count]:
        raise AssertionError(f"expected the floor to drain {count} jobs, got {drained}")
    return floor


def _latency(app: Backburner, bench: Bench, name: str) -> list[Result]:
    count = max(bench.size(300), 100)
    path = Path(app.store.url.removeprefix("sqlite:///")).parent / "latencies"
    worker = start("idle", app.store.url)
    wait_until_ready(worker)
    used = _idle_share(worker.pid)
    for _ in range(count):
        app.delay(jobs.note_latency)(time.time(), str(path))
        time.sleep(0.02)
    stop(worker)
    milliseconds = [float(line) * 1000 for line in path.read_text().split()]
    p50, p99 = percentile(milliseconds, 0.5), percentile(milliseconds, 0.99)
    return [
        Result(f"{name}, p50 of {len(milliseconds)}", f"{p50:.1f} ms", target="≤ 5 ms", is_met=p50 <= 5),
        Result(f"{name}, p99", f"{p99:.1f} ms", target="≤ 20 ms", is_met=p99 <= 20),
        Result(f"{name}, use of a core while idle", f"{used:.2%}", target="≤ 1 %", is_met=used <= 0.01),
    ]


def _idle_share(pid: int, seconds: float = 10.0) -> float:
    before = cpu_seconds(pid)
    with timed() as timer:
        time.sleep(seconds)
    return (cpu_seconds(pid) - before) / timer.seconds


def _rate(done: Drained) -> float:
    return done.jobs / done.seconds


def _compared(name: str, ours: float, floor: float, target: str = "", is_met: bool | None = None) -> Result:
    return Result(name, f"{ours:,.0f}/s", f"{floor:,.0f}/s", f"{ours / floor:.0%}", target, is_met)
