"""The thread beside the hands: it beats, does the upkeep and looks after jobs that take long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from backburner.core.errors import BackburnerError


@dataclass(slots=True)
class Chore:
    """Something to do again and again."""

    doing: str
    """What it is, for messages."""
    do: Callable[[], object]
    every: float
    """Seconds."""
    due: float = 0.0
    """By the monotonic clock."""
    is_failing: bool = False
    """Whether it went wrong the last time."""


class Pulse:
    """Runs chores in a thread of its own until it is closed.

    `on_trouble` is told what went wrong, not again while it goes on to; `on_recovery`, that it went well again.
    """

    def __init__(
        self,
        chores: list[Chore],
        on_trouble: Callable[[str, BackburnerError], None],
        on_recovery: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._chores = chores
        self._on_trouble = on_trouble
        self._on_recovery = on_recovery
        self._wakeups: SimpleQueue[bool] = SimpleQueue()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="backburner-pulse", daemon=True)
        self._thread.start()

    def hurry(self, chore: Chore, seconds: float) -> None:
        """Do a chore after so many seconds, if it was not due before. Safe in signal handlers."""
        due = time.monotonic() + seconds
        if due < chore.due:
            chore.due = due
            self._wakeups.put(True)

    def close(self) -> None:
        """End the thread, after the chore that it is doing."""
        self._is_closed = True
        self._wakeups.put(True)
        self._thread.join()

    def _run(self) -> None:
        while not self._is_closed:
            now = time.monotonic()
            for chore in self._chores:
                if chore.due <= now and not self._is_closed:
                    self._do(chore, now)
            self._rest(min(chore.due for chore in self._chores) - time.monotonic())

    def _do(self, chore: Chore, now: float) -> None:
        chore.due = now + chore.every
        try:
            chore.do()
        except BackburnerError as error:
            if not chore.is_failing:
                self._on_trouble(chore.doing, error)
            chore.is_failing = True
        else:
            if chore.is_failing:
                self._on_recovery(chore.doing)
            chore.is_failing = False

    def _rest(self, seconds: float) -> None:
        try:
            self._wakeups.get(timeout=min(max(seconds, 0.0), threading.TIMEOUT_MAX))
            while True:
                self._wakeups.get_nowait()
        except Empty:
            return
