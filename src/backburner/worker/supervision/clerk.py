"""What a supervisor has to tell the store: which workers are dead, and that others, who cannot say so, are alive."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic

from backburner.core.errors import BackburnerError
from backburner.core.ports import Store
from backburner.core.telemetry import Telemetry
from backburner.worker.page import Page
from backburner.worker.trouble import Outage
from backburner.worker.upkeep.rescue import take_over

FIRST_WAIT, LONGEST_WAIT = 0.25, 5.0
"""Seconds until the store is told again, when it could not be used; doubled each time."""

LATE = 10.0
"""Seconds after which nobody waits for the store any more."""

NEVER = float("inf")

DOING = "telling which workers are dead"


class Clerk:
    """Talks to the store, in a thread that lives only while there is something to say.

    The supervisor itself never waits for a database. And it forks when no thread is there, and no connection: what a
    fork would find locked, it would find locked for ever. `done` is called in the thread when that ends.
    """

    def __init__(self, store: Store, telemetry: Telemetry, name: str, done: Callable[[], None]) -> None:
        self._store = store
        self._telemetry = telemetry
        self._name = name
        self._done = done
        self._outage = Outage(name, telemetry)
        self._dead: list[int] = []
        self._thread: threading.Thread | None = None
        self._is_talking = False
        self._began_at = 0.0
        self._wait = FIRST_WAIT
        self._due = NEVER

    @property
    def due(self) -> float:
        """When `work` is to be called, by the monotonic clock."""
        return NEVER if self._is_talking else self._due

    @property
    def is_in_the_way(self) -> bool:
        """Whether a fork had better wait."""
        if self._is_talking:
            return monotonic() - self._began_at < LATE
        if self._thread is not None:
            self._thread.join()  # it has said that it is done, and ends just now
            self._thread = None
        return False

    @property
    def has_said_all(self) -> bool:
        """Whether the store knows of all the dead."""
        return not self._dead and not self._is_talking

    def bury(self, worker: int) -> None:
        """Tell the store soon that this worker is dead."""
        self._dead.append(worker)
        self._due = 0.0

    def work(self, silent: Sequence[Page] = ()) -> None:
        """Tell the store what there is to tell; beat for the workers of these pages."""
        if not self._is_talking and (silent or self._dead):
            self._is_talking = True
            self._due = NEVER
            self._began_at = monotonic()
            self._thread = threading.Thread(target=self._talk, args=(silent,), name="backburner-clerk", daemon=True)
            self._thread.start()

    def _talk(self, silent: Sequence[Page]) -> None:
        try:
            self._bury_all()
            for page in silent:
                self._beat(page)
        except BackburnerError as error:
            self._outage.begin(DOING, error)
            self._due = monotonic() + self._wait
            self._wait = min(self._wait * 2, LONGEST_WAIT)
        else:
            self._outage.end(DOING)
            self._wait = FIRST_WAIT
        finally:
            self._store.close()
            self._is_talking = False
            self._done()

    def _bury_all(self) -> None:
        for worker in tuple(self._dead):
            take_over(self._store, partial(self._store.bury, worker), self._telemetry, self._name)
            self._dead.remove(worker)

    def _beat(self, page: Page) -> None:
        worker, asked_at = int(page.worker), monotonic()
        if worker and self._store.run(self._store.beat(worker)) and page.worker == worker:
            page.beaten_at = asked_at
