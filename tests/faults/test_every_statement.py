"""A process is killed before each statement of each operation, and before the commit: all of it is done, or nothing."""

from __future__ import annotations

from pathlib import Path
from signal import SIGKILL

import pytest

from backburner import Backburner
from backburner.stores.memory.store import MemoryStore
from tests.faults import jobs
from tests.faults.nursery import Nursery
from tests.faults.place import SETTINGS, TO_BE_DONE, Place
from tests.faults.process import Order
from tests.faults.scenes import OPERATIONS, PLAYERS, World, clock_of_scenes, set_scene, world
from tests.faults.stage import Stage

pytestmark = pytest.mark.slow

MOST = 40
"""Statements of an operation, or of a migration."""

ALSO_REFUSED = frozenset({"delete running"})
"""Operations that end with an error of their own."""


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - ALSO_REFUSED))
def test_an_operation_is_done_or_is_not(stage: Stage, nursery: Nursery, folder: Path, name: str) -> None:
    store = stage.open_store()
    scene = stage.scene(store)
    before, after = worlds(name)
    for command in range(1, MOST):
        stage.set_again([store])
        options = {"operation": name, "command": command, "numbers": stage.numbers}
        status = nursery.start(Order("play", stage.url, options=options), folder).wait()
        assert world(scene) in (before, after) if status else world(scene) == after
        store.run(store.claim(scene.request("b", 10)))  # nothing is in the way of others
        if status == 0:
            break
        assert status == -SIGKILL
    else:
        raise AssertionError(f"{name} takes more than {MOST} statements")
    assert command > 1, "nobody was killed"
    store.close()


def worlds(name: str) -> tuple[World, World]:
    """Return what there is before an operation, and after it."""
    clock = clock_of_scenes()
    scene = set_scene(MemoryStore(clock=clock), clock)
    before = world(scene)
    scene.store.run(OPERATIONS[name](scene, PLAYERS[0]))
    return before, world(scene)


def test_a_migration_that_is_killed_is_done_by_the_next(url: str, nursery: Nursery, folder: Path) -> None:
    """Before each of its statements, one after the other, on the same database."""
    for command in range(1, MOST):
        status = nursery.start(Order("migrate", url, SETTINGS, {"command": command}), folder).wait()
        if status == 0:
            break
        assert status == -SIGKILL
    assert 1 < command < MOST
    with Backburner(url) as app:
        assert app.migrate() == []
    with Place(url, nursery, folder) as place:
        place.enqueue([jobs.work.delay] * 3)
        place.drain()
        assert place.count(TO_BE_DONE) == 0
        assert place.verdict().wrong == {}
