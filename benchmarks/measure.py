"""Small tools for measuring: timers, rates, medians, percentiles, and what processes use."""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

HAS_PROC = Path("/proc/stat").exists()
"""Whether the system says what each process uses, as Linux does."""

TICKS = os.sysconf("SC_CLK_TCK")

ROUNDS = 3
"""How often what is short is measured; the median counts."""


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


@dataclass(frozen=True, slots=True)
class Rates:
    """What one measure gave, each time that it was its turn."""

    turns: Sequence[float]

    @property
    def median(self) -> float:
        """The one in the middle."""
        return statistics.median(self.turns)

    def in_relation_to(self, other: Rates) -> float:
        """Return the median of the ratios: only what was measured one after the other is compared."""
        return statistics.median(own / theirs for own, theirs in zip(self.turns, other.turns, strict=True))

    def beyond(self, other: Rates) -> float:
        """Return the median of the differences, for what is added to something that is much greater."""
        return statistics.median(own - theirs for own, theirs in zip(self.turns, other.turns, strict=True))


def alternating(*measures: Callable[[], float], rounds: int = ROUNDS) -> list[Rates]:
    """Let measures take turns, and return what each gave: what disturbs the machine disturbs all of them."""
    taken = [[measure() for measure in measures] for _ in range(rounds)]
    return [Rates(turns) for turns in zip(*taken, strict=True)]


def bare_loop_rounds() -> float:
    """Return how many rounds of `x += i` this machine does in a second: the best of several tries."""

    def loop() -> None:
        x = 0
        for i in range(2_000_000):
            x += i

    return max(rate(2_000_000, loop) for _ in range(5))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used (Linux)."""
    return sum(_times_of(pid)[:2])


def cpu_seconds_of_all(pid: int) -> float | None:
    """Return the processor time that a process and its children have used, those included that have ended.

    None where the system does not say.
    """
    if not HAS_PROC:
        return None
    total = 0.0
    for child in _children(pid):
        with suppress(OSError):  # it has ended meanwhile: its time is in that of its parent, which is read last
            total += cpu_seconds(child)
    return total + sum(_times_of(pid))


def busy_seconds() -> float | None:
    """Return the processor time that anything on this machine has used, all cores together; None as above."""
    if not HAS_PROC:
        return None
    user, nice, system, _idle, _io, interrupts, soft, *_ = map(int, _lines("/proc/stat")[0].split()[1:])
    return (user + nice + system + interrupts + soft) / TICKS


def peak_memory() -> float:
    """Return the most memory that this process has held, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage() of Linux counts what the parent held when it started this process
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 1024


def _times_of(pid: int) -> list[float]:
    """Return the time of a process in user and system mode, then that of its children that have ended."""
    fields = _lines(f"/proc/{pid}/stat")[0].rsplit(")", 1)[1].split()
    return [int(ticks) / TICKS for ticks in fields[11:15]]


def _children(pid: int) -> list[int]:
    return [int(child) for child in " ".join(_lines(f"/proc/{pid}/task/{pid}/children")).split()]


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
