"""Workers in processes of their own: `python -m benchmarks.processes`, whose first line of input is an order in JSON.

One that drains says "ready", waits for a line, performs, and writes what it measured as JSON. One that is idle says
"ready" when it waits for work, and runs until its input ends.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from backburner import Backburner
from backburner.worker import prefetch
from benchmarks import jobs
from benchmarks.measure import peak_memory

MANY = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker process is to do."""

    url: str
    role: str = "drain"
    limit: int = MANY
    """How many jobs one worker performs at the most."""
    most: int | None = None
    """How many jobs it claims at once at the most; None: as many as it sees fit."""
    warm_up: int = 0
    """How many marks come before the first tenth."""
    concurrency: int = 1
    queues: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Drained:
    """What several workers did together."""

    jobs: int
    seconds: float
    """From the start of the first to the end of the last."""
    memory: float
    """Of the biggest of them, in MiB."""
    tenths: Sequence[float]
    """Seconds that each tenth of the jobs took, if there was one worker and the jobs were marks."""

    @property
    def rate(self) -> float:
        """Jobs in a second."""
        return self.jobs / self.seconds


def drain(order: Order, workers: int = 1, during: AbstractContextManager[object] = nullcontext()) -> Drained:  # noqa: B008  # it holds nothing
    """Let so many worker processes carry out an order to drain; `during` is entered while they perform."""
    with ExitStack() as stack:
        processes = [stack.enter_context(_started(order)) for _ in range(workers)]
        for process in processes:
            _read(process)
        with during:
            for process in processes:
                _write(process, "go\n")
            reports = [json.loads(_read(process)) for process in processes]
    began, ended = min(r["began"] for r in reports), max(r["ended"] for r in reports)
    total, memory = sum(r["jobs"] for r in reports), max(r["memory"] for r in reports)
    return Drained(total, ended - began, memory, reports[0]["tenths"])


@contextmanager
def idle(url: str) -> Iterator[int]:
    """Let a worker wait for jobs, and perform them, within the block; give the id of its process."""
    with _started(Order(url, "idle")) as process:
        _read(process)
        yield process.pid


def _started(order: Order) -> subprocess.Popen[str]:
    """Start a worker process; entered, it ends with the block, as its input does."""
    command = [sys.executable, "-m", "benchmarks.processes"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    _write(process, json.dumps(asdict(order)) + "\n")
    return process


def _read(process: subprocess.Popen[str]) -> str:
    if process.stdout is None:
        raise ValueError("expected a process whose stdout is piped")
    text = process.stdout.readline()
    if not text:
        raise RuntimeError(f"a worker process ended with {process.wait()}, without a word")
    return text


def _write(process: subprocess.Popen[str], text: str) -> None:
    if process.stdin is None:
        raise ValueError("expected a process whose stdin is piped")
    process.stdin.write(text)
    process.stdin.flush()


def _drain(app: Backburner, order: Order) -> None:
    worker = app.worker(order.queues, concurrency=order.concurrency)
    if order.most is not None:
        prefetch.MOST = order.most
    print("ready", flush=True)
    if not sys.stdin.readline():
        return
    began = time.time()
    total = 0
    while total < order.limit and (done := sum(worker.work_off(order.limit - total))):
        total += done
    report: dict[str, Any] = {"began": began, "ended": time.time(), "jobs": total, "memory": peak_memory()}
    report["tenths"] = _tenths(jobs.marks[order.warm_up :])
    print(json.dumps(report), flush=True)


def _tenths(marks: Sequence[float]) -> list[float]:
    """Return how many seconds lie between the marks that end each tenth of them."""
    if not marks:
        return []
    ends = [marks[(len(marks) - 1) * tenth // 10] for tenth in range(11)]
    return [end - begin for begin, end in pairwise(ends)]


def _idle(app: Backburner, order: Order) -> None:
    worker = app.worker(order.queues, concurrency=order.concurrency)
    app.after("loop")(_say_ready_once())

    def stop_at_end_of_input() -> None:
        sys.stdin.read()
        worker.stop()

    threading.Thread(target=stop_at_end_of_input, daemon=True).start()
    worker.run()


def _say_ready_once() -> Any:
    said = False

    def say(_worker: Any) -> None:
        nonlocal said
        if not said:
            said = True
            print("ready", flush=True)

    return say


def main() -> None:
    """Play the role that the order names."""
    order = Order(**json.loads(sys.stdin.readline()))
    with Backburner(order.url, allow=["benchmarks"]) as app:
        {"drain": _drain, "idle": _idle}[order.role](app, order)


if __name__ == "__main__":
    main()
