"""What happens in a soak, and when: chance that a seed repeats, as far as the machine plays along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from time import monotonic, sleep

from benchmarks.soak.crew import SETTINGS, Crew
from benchmarks.soak.ground import Ground
from tests.faults.history import History

KILL_EVERY = 0.2
"""Seconds, on average, as the following."""
STOP_EVERY = 8.0
CUT_EVERY = 3.0
RESTART_EVERY = 25.0

STANDS_STILL = float(SETTINGS["lease"]) + 1.5
"""Seconds: longer than the lease and a round of those who rescue."""

LOOK_EVERY = 0.02


@dataclass(slots=True)
class Kind:
    """Something that happens again and again."""

    do: Callable[[float], None]
    every: float
    due: float


class Storm:
    """Lets things happen; with `haste` so many times as often, kills and what takes its time aside."""

    def __init__(self, ground: Ground, crew: Crew, history: History, chance: Random, *, haste: float = 1.0) -> None:
        self._crew = crew
        self._history = history
        self._chance = chance
        self._ground = ground
        kinds: list[tuple[Callable[[float], None], float]] = [
            (lambda _: crew.kill_one(), KILL_EVERY),
            (lambda now: crew.stop_one(now + STANDS_STILL), STOP_EVERY / haste),
        ]
        if ground.restart is not None:
            kinds += [(lambda _: self._cut(), CUT_EVERY / haste), (lambda _: self._restart(), RESTART_EVERY / haste)]
        now = monotonic()
        self._kinds = [Kind(do, every, now + self._pause(every)) for do, every in kinds]

    def rage(self, seconds: float) -> None:
        """Let things happen for so long."""
        end = monotonic() + seconds
        while (now := monotonic()) < end:
            for kind in self._kinds:
                if kind.due <= now:
                    kind.do(now)
                    kind.due = monotonic() + self._pause(kind.every)
            self._crew.wake(now)
            self._crew.fill()
            sleep(LOOK_EVERY)

    def _pause(self, every: float) -> float:
        return self._chance.uniform(0.3, 1.7) * every

    def _cut(self) -> None:
        if self._ground.cut is not None:
            self._history.note("fault", detail="cut")
            self._ground.cut()

    def _restart(self) -> None:
        if self._ground.restart is not None:
            self._history.note("fault", detail="server")
            self._ground.restart()
