"""Performing jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from backburner import Backburner
from benchmarks import jobs
from benchmarks.bench import Bench, checked, enqueue_calls, enqueue_noops
from benchmarks.databases.base import BATCH
from benchmarks.load import Load, Measured
from benchmarks.measure import Rates, alternating, rate
from benchmarks.processes import Order, drain
from benchmarks.results import Result, line, per_second, rate_line
from benchmarks.targets import Goal

CONCURRENCY = 50

TURNS = 5
"""How often ours and the floors take turns where each job is a commit, which depends on how the disk feels."""


def drain_with_processes(bench: Bench) -> list[Result]:
    """No-op jobs, with one and with several worker processes."""
    count, targets = bench.size(bench.targets.sizes.drain), bench.targets
    loads: list[Load] = []
    names = _floor_names(bench)
    one, several, objects, *rates = alternating(
        lambda: bench.drained(count).rate,
        lambda: _together(bench, 2 * count, loads),
        lambda: bench.drained(count, enqueue=_enqueue_objects).rate,
        *(partial(_floor, bench, name, count, BATCH) for name in names),
    )
    floors = _named(names, rates, BATCH)
    return [
        rate_line("drain, 1 process", one, floors, share=targets.drain_share, at_least=targets.drain_rate),
        rate_line("drain, 1 process, job objects with 3 hooks", objects, floors),
        _gain(bench, one, several, loads),
    ]


def one_job_per_claim(bench: Bench) -> list[Result]:
    """A worker that claims one job at a time and settles the one before with it, as it does when jobs are long."""
    count = bench.size(bench.targets.sizes.one_by_one // 2)
    names = _floor_names(bench)
    ours, *rates = alternating(
        lambda: bench.drained(count, most=1).rate,
        *(partial(_floor, bench, name, count, 1) for name in names),
        rounds=TURNS,
    )
    return [rate_line("drain, 1 job per claim", ours, _named(names, rates, 1), share=bench.targets.single_share)]


def waiting_jobs(bench: Bench) -> list[Result]:
    """Jobs that wait for 10 ms, 50 at once in one process."""
    count = bench.size(20_000, least=1_000)
    in_loop, in_threads = alternating(
        lambda: _waiting(bench, count, jobs.wait_async), lambda: _waiting(bench, count, jobs.wait)
    )
    return [
        _waiting_line("async jobs", in_loop.median, bench.targets.async_rate),
        _waiting_line("in threads", in_threads.median, bench.targets.thread_rate),
    ]


def _floor_names(bench: Bench) -> list[str]:
    with bench.database.fresh() as place:
        return list(place.floors.drains)


def _named(names: Sequence[str], rates: Sequence[Rates], batch: int) -> dict[str, Rates]:
    first, *others = names
    return dict(zip([f"{first}, {batch} at a time", *others], rates, strict=True))


def _floor(bench: Bench, name: str, count: int, batch: int) -> float:
    with bench.database.fresh() as place:
        place.floors.store(count)
        bench.database.settle(place)
        drained: list[int] = []
        floor = rate(count, lambda: drained.append(place.floors.drains[name](batch)))
    if drained != [count]:
        raise AssertionError(f"expected the floor to drain {count} jobs, got {drained}")
    return floor


def _together(bench: Bench, count: int, loads: list[Load]) -> float:
    measured = Measured(bench.database)
    with bench.database.fresh() as place:
        enqueue_noops(place.app, count)
        bench.database.settle(place)
        done = drain(Order(place.url), bench.targets.processes, during=measured)
    loads.append(measured.load)
    return checked(done, count).rate


def _gain(bench: Bench, one: Rates, several: Rates, loads: list[Load]) -> Result:
    targets, gain = bench.targets, several.in_relation_to(one)
    load = sorted(loads, key=lambda load: load.server or 0)[len(loads) // 2]
    result = line(
        f"drain, {targets.processes} processes",
        per_second(several.median),
        (targets.processes_gain, gain),
        compared=f"{per_second(one.median)}: 1 process ({load})",
        ratio=f"{gain:.2f} ×",
    )
    if targets.full_core is None:
        return result
    is_full = load.server is not None and targets.full_core.is_met(load.server)
    target = f"{result.target} or {targets.full_core.text}"
    return replace(result, target=target, is_met=result.is_met or is_full)


def _waiting(bench: Bench, count: int, function: Any) -> float:
    return bench.drained(count, enqueue=partial(enqueue_calls, function=function), concurrency=CONCURRENCY).rate


def _waiting_line(kind: str, rate: float, goal: Goal | None) -> Result:
    ideal = CONCURRENCY / jobs.WAIT
    return line(
        f"drain, jobs that wait 10 ms, {CONCURRENCY} at once, {kind}",
        per_second(rate),
        (goal, rate),
        compared=f"{per_second(ideal)}: if nothing else took time",
        ratio=f"{rate / ideal:.0%}",
    )


def _enqueue_objects(app: Backburner, count: int) -> None:
    app.enqueue_all(jobs.NoopObject(number) for number in range(count))
