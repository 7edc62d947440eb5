"""What is measured, and how."""

from __future__ import annotations

import random
import statistics
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from backburner.cli.benching import jobs
from backburner.cli.benching.ground import Ground
from backburner.cli.benching.other_process import OtherProcess

LATER = timedelta(days=365)
"""Jobs that are only enqueued are due then, so that no worker takes them meanwhile."""

WARM_UP = 5
"""Jobs before the first that counts: connections are opened, statements prepared."""

LATENCIES = 50

PAUSES = (0.06, 0.1)
"""Seconds between two jobs of which the latency is measured: the worker and what wakes it are to be at rest again."""


class NotMeasured(Exception):
    """Something could not be measured; says why."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How long so many jobs took."""

    jobs: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Jobs in a second."""
        return self.jobs / self.seconds

    @property
    def each(self) -> float:
        """Seconds for one job."""
        return self.seconds / self.jobs


@dataclass(frozen=True, slots=True)
class Latency:
    """How long after its enqueueing a job starts, in a worker that has nothing else to do."""

    jobs: int
    median: float
    slowest: float


def enqueue_one_by_one(ground: Ground, count: int) -> Rate:
    """Enqueue jobs, each in a transaction of its own."""
    enqueue = ground.delay(jobs.do_nothing, run_at=LATER)
    for number in range(WARM_UP):
        enqueue(number)
    return _timed(count, lambda: [enqueue(number) for number in range(count)])


def enqueue_in_bulk(ground: Ground, count: int) -> Rate:
    """Enqueue jobs in one block."""
    return _timed(count, lambda: _enqueue_in_bulk(ground, count, LATER))


def drain(ground: Ground, count: int) -> Rate:
    """Perform jobs, in one worker. Raises NotMeasured."""
    refuse_company(ground)
    _enqueue_in_bulk(ground, count, None)
    worker = ground.worker()
    performed: list[int] = []
    rate = _timed(count, lambda: performed.append(sum(worker.work_off(count))))
    if performed != [count]:
        raise NotMeasured(f"another worker took some of the jobs: only {performed[0]:,} of {count:,} were left")
    return rate


def latency(ground: Ground, count: int, options: Namespace) -> Latency:
    """Enqueue jobs here that a worker in another process performs. Raises NotMeasured."""
    if not ground.store.capabilities.many_processes:
        raise NotMeasured("the jobs of this store cannot be performed in another process")
    refuse_company(ground)
    with OtherProcess(options, ground.queue) as worker:
        if not worker.start():
            raise NotMeasured("no worker could be started in another process")
        seconds = [_one_latency(ground, worker) for _ in range(WARM_UP + count)][WARM_UP:]
    return Latency(count, statistics.median(seconds), max(seconds))


def refuse_company(ground: Ground) -> None:
    """Raise NotMeasured when other workers would take our jobs."""
    if others := ground.other_workers():
        names = ", ".join(others[:3]) + ("" if len(others) <= 3 else f" and {len(others) - 3} more")
        raise NotMeasured(f"workers that serve all queues would take the jobs; stop them first: {names}")


def _enqueue_in_bulk(ground: Ground, count: int, run_at: timedelta | None) -> None:
    enqueue = ground.delay(jobs.do_nothing) if run_at is None else ground.delay(jobs.do_nothing, run_at=run_at)
    with ground.bulk():
        for number in range(count):
            enqueue(number)


def _one_latency(ground: Ground, worker: OtherProcess) -> float:
    ground.delay(jobs.tell_delay)(time.time())
    said = worker.hear()
    if said is None:
        raise NotMeasured("the worker in another process did not perform a job in time, or has ended")
    time.sleep(random.uniform(*PAUSES))  # noqa: S311  # nobody is to be kept from guessing it
    return float(said)


def _timed(count: int, action: Callable[[], object]) -> Rate:
    began = time.perf_counter()
    action()
    return Rate(count, time.perf_counter() - began)
