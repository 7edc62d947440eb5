"""What each store is to reach, and how much of it is measured.

Rates that depend on the processor were written for a machine whose bare loop of `x += i` does 24 M rounds/s; they are
scaled by the loop of the machine that runs them. Ratios, latencies and what is bounded by waiting are not scaled.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Self

REFERENCE_ROUNDS = 24_000_000
"""Rounds per second of the bare loop on the machine for which the targets were written."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A number that is to be reached, or not to be passed."""

    number: float
    text: str
    is_upper: bool = False
    is_scaled: bool = False

    def is_met(self, reached: float) -> bool:
        """Say whether a number is good enough."""
        return reached <= self.number if self.is_upper else reached >= self.number

    def at(self, speed: float) -> Goal:
        """Return the goal for a machine of this speed."""
        if not self.is_scaled:
            return self
        number = self.number * speed
        return replace(self, number=number, text=f"≥ {number:,.0f}/s ({self.number:,.0f} × {speed:.2f})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many jobs are used for what."""

    one_by_one: int
    """Each in a transaction of its own."""
    bulk: int = 100_000
    drain: int
    deep: int = 1_000_000
    """Jobs in a deep table that are in nobody's way."""
    failed: int = 500_000
    pinned: int = 100_000
    memory: int
    once: int = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The goals of one store; None: measured, but nothing is to be reached."""

    sizes: Sizes
    enqueue_share: Goal | None = None
    """Enqueueing one by one, of INSERT and COMMIT."""
    transaction_cost: Goal | None = None
    """A transaction with a job in it, as a multiple of the same with a bare INSERT of the job's row."""
    bulk_rate: Goal | None = None
    drain_rate: Goal | None = None
    drain_share: Goal | None = None
    """Of the bare loop with the same batches."""
    processes: int = 2
    processes_gain: Goal | None = None
    """Of so many processes, as a multiple of one."""
    full_core: Goal | None = None
    """A server that uses so much of a core has no more to give: instead of `processes_gain`."""
    single_share: Goal | None = None
    """One job per claim, of the bare loop."""
    async_rate: Goal | None = None
    thread_rate: Goal | None = None
    p50: Goal | None = None
    """Milliseconds."""
    p99: Goal | None = None
    idle_core: Goal | None = None
    """Share of a core that an idle worker uses."""
    idle_queries: Goal | None = None
    """Of an idle worker in five seconds."""
    pinned_share: Goal | None = None
    """The last tenth of a drain beside an old transaction, of the first tenth."""
    pinned_rate: Goal | None = None
    """In the last tenth."""
    deep_share: Goal | None = None
    """A deep table, of an empty one."""
    memory_growth: Goal | None = None
    """MiB."""

    def at(self, speed: float) -> Self:
        """Return the targets for a machine of this speed."""
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        goals: dict[str, Any] = {name: value.at(speed) for name, value in values.items() if isinstance(value, Goal)}
        return replace(self, **goals)


def _rate(number: float) -> Goal:
    """Return jobs per second, on the machine for which targets are written."""
    return Goal(number, f"≥ {number:,.0f}/s", is_scaled=True)


def _waiting_rate(number: float) -> Goal:
    """Return jobs per second that wait, on any machine."""
    return Goal(number, f"≥ {number:,.0f}/s")


def _share(number: float) -> Goal:
    return Goal(number, f"≥ {number * 100:.0f} %")


def _times(number: float) -> Goal:
    return Goal(number, f"≥ {number} ×")


def _milliseconds(number: float) -> Goal:
    return Goal(number, f"≤ {number:g} ms", is_upper=True)


SQLITE = Targets(
    sizes=Sizes(one_by_one=20_000, drain=60_000, memory=1_000_000),
    enqueue_share=_share(0.5),
    bulk_rate=_rate(60_000),
    drain_rate=_rate(20_000),
    processes_gain=_times(1.2),
    p50=_milliseconds(5),
    p99=_milliseconds(20),
    idle_core=Goal(0.01, "≤ 1 %", is_upper=True),
    deep_share=_share(0.9),
    memory_growth=Goal(5, "≤ 5 MiB more", is_upper=True),
)

POSTGRES = Targets(
    sizes=Sizes(one_by_one=5_000, drain=60_000, memory=1_000_000),
    enqueue_share=_share(0.85),
    transaction_cost=Goal(1.15, "≤ 1.15 ×", is_upper=True),
    bulk_rate=_rate(80_000),
    drain_rate=_rate(18_000),
    drain_share=_share(0.6),
    processes_gain=_times(1.3),
    full_core=Goal(0.9, "the server's core full"),
    single_share=_share(0.8),
    async_rate=_waiting_rate(4_500),
    thread_rate=_waiting_rate(3_500),
    p50=_milliseconds(3),
    p99=_milliseconds(15),
    idle_queries=Goal(1, "≤ 1 in 5 s", is_upper=True),
    pinned_share=_share(0.7),
    pinned_rate=_rate(12_000),
    deep_share=_share(0.85),
)

MARIADB = Targets(
    sizes=Sizes(one_by_one=5_000, drain=30_000, memory=200_000, once=50_000, pinned=50_000),
    drain_rate=_rate(6_000),
    drain_share=_share(0.6),
    processes=4,
    processes_gain=_times(1.5),
    deep_share=_share(0.85),
)
