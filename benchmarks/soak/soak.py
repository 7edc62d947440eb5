"""One soak of one store: the storm, the calm after it in which all must be done, and the verdict."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import monotonic, sleep

from backburner import Backburner
from backburner.core.ports import JobFilter, Store
from benchmarks.soak.crew import Crew
from benchmarks.soak.ground import ground_of
from benchmarks.soak.storm import Storm
from tests.faults.checker import Verdict, check
from tests.faults.history import VARIABLE, History
from tests.faults.nursery import Nursery
from tests.faults.place import TO_BE_DONE, rows_of

CALM = 60.0
"""Seconds in which some of what is left must be done, when nothing happens any more."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a soak came to."""

    store: str
    seed: int
    seconds: float
    verdict: Verdict
    missing: frozenset[str]
    """Classes of faults that never happened: the soak shows nothing then."""

    @property
    def is_good(self) -> bool:
        """Whether it shows that all promises were kept."""
        return self.verdict.is_good and not self.missing


def soak(store: str, seconds: float, seed: int, *, haste: float = 1.0) -> Outcome:
    """Let things happen to one store and its processes for so long. Raises ServerMissing."""
    with _folder() as folder, ground_of(store, folder) as ground, Nursery() as nursery:
        history = History(folder)
        chance = Random(seed)  # noqa: S311  # chance that can be repeated
        with Backburner(ground.direct_url) as app:
            app.migrate()
            crew = Crew(nursery, ground.url, folder, chance)
            began = monotonic()
            Storm(ground, crew, history, chance, haste=haste).rage(seconds)
            crew.end_enqueuing()
            _wait_until_done(app.store, crew)
            crew.end()  # a history that is still written does not fit the rows that are read after it
            took = monotonic() - began
            verdict = check(history.events(), rows_of(app.store))
    return Outcome(store, seed, took, verdict, ground.faults - verdict.faults.keys())


def _wait_until_done(store: Store, crew: Crew) -> None:
    """Wait until nothing is left to do, or nothing is done any more."""
    least, end = float("inf"), monotonic() + CALM
    while (left := store.run(store.count(JobFilter(states=TO_BE_DONE)))) and monotonic() < end:
        if left < least:
            least, end = left, monotonic() + CALM
        crew.fill()  # jobs go on killing workers
        sleep(0.2)


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder for a history, which the processes that are started write into."""
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = name
        try:
            yield Path(name)
        finally:
            os.environ.pop(VARIABLE)
            if before is not None:
                os.environ[VARIABLE] = before
