"""Small tools for measuring: timers, percentiles, resource use, and the table of results."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REFERENCE_ROUNDS = 24_000_000
"""Rounds per second of the bare loop on the machine for which the targets were written."""


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table."""

    name: str
    value: str
    floor: str = ""
    ratio: str = ""
    target: str = ""
    is_met: bool | None = None


class Timer:
    """How long a block took, in seconds."""

    seconds = 0.0


@contextmanager
def timed() -> Iterator[Timer]:
    """Measure the block."""
    timer = Timer()
    began = time.perf_counter()
    try:
        yield timer
    finally:
        timer.seconds = time.perf_counter() - began


def rate(count: int, action: Callable[[], object]) -> float:
    """Return how many things per second `action` does, when it does `count` of them."""
    with timed() as timer:
        action()
    return count / timer.seconds


def best(times: int, measure: Callable[[], float]) -> float:
    """Return the best of several rates, which is the one that other work on the machine disturbed least."""
    return max(measure() for _ in range(times))


def bare_loop_rounds() -> float:
    """Return how many rounds of `x += i` this machine does in a second."""

    def loop() -> None:
        x = 0
        for i in range(2_000_000):
            x += i

    return best(5, lambda: rate(2_000_000, loop))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    return ticks / 100


def peak_memory() -> float:
    """Return the most memory that this process has held, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage() of Linux counts what the parent held when it started this process
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 1024


def print_table(results: Sequence[Result]) -> None:
    """Print results as a Markdown table."""
    rows = [("workload", "backburner", "floor", "ratio", "target", "met")]
    rows += [(r.name, r.value, r.floor, r.ratio, r.target, _yes_or_no(r.is_met)) for r in results]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rows.insert(1, tuple("-" * width for width in widths))  # type: ignore[arg-type]  # as many as there are columns
    for row in rows:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |", flush=True)


def _yes_or_no(is_met: bool | None) -> str:
    return "" if is_met is None else "yes" if is_met else "NO"
