"""The processes of a soak: as many workers and enqueuers as there are to be, whatever happens to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM
from typing import Any

from tests.faults.history import History
from tests.faults.nursery import Child, Nursery
from tests.faults.process import Order

WORKERS: tuple[dict[str, Any], ...] = ({"concurrency": 1}, {"concurrency": 1}, {"concurrency": 4})
"""The options of each."""

SETTINGS: Mapping[str, Any] = {"lease": 3.0, "heartbeat": 0.5, "sleep_delay": 0.3, "max_attempts": 5}


class Crew:
    """Keeps the processes running, and lets things happen to them."""

    def __init__(self, nursery: Nursery, url: str, folder: Path, chance: Random) -> None:
        self._nursery = nursery
        self._folder = folder
        self._chance = chance
        self._history = History(folder)
        self._orders = [Order("work", url, dict(SETTINGS), options) for options in WORKERS]
        self._orders.append(Order("enqueue_on_and_on", url, dict(SETTINGS)))
        self._children: list[Child | None] = [None] * len(self._orders)
        self._stopped: list[tuple[float, Child]] = []
        self._seed = 0

    def fill(self) -> None:
        """Start whoever is not there."""
        for place, (order, child) in enumerate(zip(self._orders, self._children, strict=True)):
            if child is None or not child.is_running:
                self._seed += 1
                self._children[place] = self._nursery.start(replace(order, seed=self._seed), self._folder)

    def kill_one(self) -> None:
        """Kill one of the processes."""
        self._hit(self._chance.randrange(len(self._children)), "kill")

    def stop_one(self, until: float) -> None:
        """Let one of the workers stand still until this time."""
        child = self._hit(self._chance.randrange(len(WORKERS)), "stop")
        if child is not None:
            self._stopped.append((until, child))

    def wake(self, now: float) -> None:
        """Let go on who has stood still until now."""
        for until, child in self._stopped:
            if until <= now:
                child.send(SIGCONT)
        self._stopped = [(until, child) for until, child in self._stopped if until > now]

    def end_enqueuing(self) -> None:
        """Kill who enqueues, and let all others go on."""
        self._hit(len(WORKERS), "kill")
        self._orders.pop()
        self._children.pop()
        self.wake(float("inf"))

    def end(self) -> None:
        """Let everybody finish what is in their hands, and wait until they have ended."""
        running = [child for child in self._children if child is not None and child.is_running]
        for child in running:
            child.send(SIGTERM)
        for child in running:
            child.wait()

    def _hit(self, place: int, fault: str) -> Child | None:
        child = self._children[place]
        if child is None or not child.is_running or any(child is stopped for _, stopped in self._stopped):
            return None
        self._history.note("fault", lease=child.pid, detail=fault)
        child.send(SIGKILL if fault == "kill" else SIGSTOP)
        return child
