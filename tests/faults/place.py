"""Where processes share a store and a history, as a test sees it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from backburner import Backburner, Job, State
from backburner.app import use
from backburner.core.ports import JobFilter, Store
from tests.faults.checker import Row, Verdict, check
from tests.faults.history import History
from tests.faults.nursery import Child, Nursery
from tests.faults.process import Order, app_of, enqueue_one, note_drafts
from tests.faults.witness import Witness

SETTINGS: dict[str, Any] = {"lease": 1.0, "heartbeat": 0.25, "sleep_delay": 0.25}
"""Of every app: what is usually waited for half a minute is waited for a second."""

EVERY_STATE = frozenset(State)
TO_BE_DONE = frozenset({State.QUEUED, State.RUNNING, State.BLOCKED})
PAGE = 1000
PATIENCE = 20.0


class Place:
    """A store and a history. Entered, its app is the current one."""

    def __init__(self, url: str, nursery: Nursery, folder: Path) -> None:
        self.url = url
        self.history = History(folder)
        self.folder = folder
        self._nursery = nursery
        self._children: list[Child] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self.app = self._open.enter_context(self.another_app())
        self.app.migrate()
        self._open.enter_context(use(self.app))
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._children:
            if child.is_running:
                child.kill()
        self._open.close()

    @property
    def store(self) -> Store:
        """The store, as this process uses it."""
        return self.app.store

    def another_app(self, url: str = "") -> Backburner:
        """Return an app of this process with connections of its own."""
        app = app_of(Order("", url or self.url, SETTINGS))
        Witness(app.store, self.history, seats=1)
        note_drafts(app)
        return app

    def start(
        self, role: str = "work", faults: str = "", url: str = "", settings: dict[str, Any] | None = None, **fields: Any
    ) -> Child:
        """Start a process, with faults at the points named; other fields are those of its order."""
        order = Order(role, url or self.url, {**SETTINGS, **(settings or {})}, **fields)
        child = self._nursery.start(order, self.folder, faults)
        self._children.append(child)
        return child

    def enqueue(self, makes: Iterable[Callable[[], Job[Any]]]) -> list[Job[Any]]:
        """Enqueue jobs, each in a transaction of its own; return those of which it is known that they are stored."""
        made = [enqueue_one(make) for make in makes]
        return [job for job in made if job is not None]

    def rescue(self) -> None:
        """Take their jobs from all workers: they are known to be dead."""
        self.store.run(self.store.rescue(0.0))

    def drain(self) -> None:
        """Perform in this process, one after the other, what is left to do."""
        worker = self.app.worker()
        self.wait_until(lambda: sum(worker.work_off(PAGE)) == 0 and not self.count(TO_BE_DONE), "all was done")

    def count(self, states: frozenset[State]) -> int:
        """Return how many jobs are in these states."""
        return self.store.run(self.store.count(JobFilter(states=states)))

    def wait_until(self, is_so: Callable[[], object], what: str, timeout: float = PATIENCE) -> None:
        """Wait until something is so that nobody tells of."""
        deadline = time.monotonic() + timeout
        while not is_so():
            assert time.monotonic() < deadline, f"not so after {timeout} s: {what}\n{self.tell()}"
            threading.Event().wait(0.01)

    def heard(self, kind: str, child: Child) -> bool:
        """Say whether a process has written down such an event."""
        return any(event.kind == kind and event.pid == child.pid for event in self.history.events())

    def wait_for(self, kind: str, number: int) -> None:
        """Wait until there have been so many events of a kind."""
        self.wait_until(
            lambda: sum(event.kind == kind for event in self.history.events()) >= number, f"{number} times {kind}"
        )

    def tell(self) -> str:
        """Return what has happened so far."""
        return "\n".join(map(str, self.history.events()[-100:]))

    def verdict(self) -> Verdict:
        """Judge what has happened so far."""
        return check(self.history.events(), rows_of(self.store))


def rows_of(store: Store) -> Iterator[Row]:
    """Yield all that is in a store."""
    which, last = JobFilter(states=EVERY_STATE), None
    while True:
        page = store.run(store.find(which, after=last, limit=PAGE))
        for job in page:
            error = (job.last_error or "").partition("\n")[0]
            yield Row(str(job.id), job.state.value, job.attempts, job.max_attempts, job.crashes, error)
        if len(page) < PAGE:
            return
        last = page[-1].id
