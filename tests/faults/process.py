"""What other processes of these tests do: `python -m tests.faults.process`, whose argument is an `Order` as JSON."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from backburner import Backburner, Job, StoreUnavailable, bulk
from backburner.app import use
from backburner.core import times
from backburner.stores.open import open_store
from tests.faults import jobs
from tests.faults.arming import arm_from_environment
from tests.faults.history import history
from tests.faults.interleaving import gated
from tests.faults.scenes import OPERATIONS, PLAYERS, Scene, clock_of_scenes
from tests.faults.witness import Witness

A_WEEK = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Order:
    """What a process is to do."""

    role: str
    url: str
    settings: dict[str, Any] = field(default_factory=dict)
    """Of its app."""
    options: dict[str, Any] = field(default_factory=dict)
    """Of its worker."""
    clock_is_off_by: float = 0.0
    """Seconds by which the clock of its machine is ahead."""
    number: int = 0
    """How many jobs to enqueue; 0: as many as there is time for."""
    seed: int = 0

    def command(self) -> list[str]:
        """Return the command that carries it out."""
        return [sys.executable, "-m", "tests.faults.process", json.dumps(asdict(self))]


def app_of(order: Order) -> Backburner:
    """Return the app of a process, which knows the jobs of these tests and forgets nothing that has ended."""
    return Backburner(order.url, allow=["tests"], keep_finished=A_WEEK, **order.settings)


def work(app: Backburner, order: Order) -> None:
    """Perform jobs until it is stopped; say `ready` before."""
    Witness(app.store, history(), order.options.get("concurrency", 1))
    print("ready", flush=True)
    app.worker(**order.options).run()


def work_off(app: Backburner, order: Order) -> None:
    """Perform jobs until nothing is ready."""
    Witness(app.store, history(), order.options.get("concurrency", 1))
    app.worker(**order.options).work_off()


def enqueue(app: Backburner, order: Order) -> None:
    """Enqueue jobs one by one, and write down which."""
    del app
    chance = random.Random(order.seed)  # noqa: S311 # chance that can be repeated
    for _ in range(order.number):
        enqueue_one(lambda: jobs.work.options(priority=chance.randint(0, 2)).delay())


def enqueue_one(make: Callable[[], Job[Any]]) -> Job[Any] | None:
    """Enqueue a job, and write down before that it is sent, and afterwards that it is stored, if that is known."""
    try:
        job = make()
    except StoreUnavailable:
        return None
    history().note("enqueued", job.id)
    return job


def note_drafts(app: Backburner) -> None:
    """Let an app write down each job that it is about to send to the store."""
    app.before("enqueue")(lambda job: history().note("enqueuing", job.id))


def shift_clock(seconds: float) -> None:
    """Let the clock of this process's machine be ahead; not the one that durations are measured by."""
    ahead = timedelta(seconds=seconds)

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz or UTC) + ahead

    vars(times)["datetime"] = Shifted


def enqueue_on_and_on(app: Backburner, order: Order) -> None:
    """Enqueue jobs of all kinds, alone and many at once, as long as not too many wait."""
    chance = random.Random(order.seed)  # noqa: S311 # chance that can be repeated
    while True:
        with suppress(StoreUnavailable):
            if app.jobs.count(state="queued") <= MANY_WAIT:
                enqueue_some(chance, chance.choice((1, 1, 5, 50)))
            else:
                time.sleep(0.05)


def enqueue_some(chance: random.Random, number: int) -> None:
    """Enqueue some jobs at once; nothing is known of any when that fails."""
    made: list[Job[Any]] = []
    try:
        with bulk():
            for _ in range(number):
                make, _ = chance.choices(MIX, [weight for _, weight in MIX])[0]
                made.append(make(chance))
    except StoreUnavailable:
        return
    history().note_all([("enqueued", job.id, 0, "") for job in made])


Make = Callable[[random.Random], Job[Any]]

MIX: tuple[tuple[Make, float], ...] = (
    (lambda chance: jobs.work.options(priority=chance.randint(0, 2)).delay(), 80),
    (lambda chance: jobs.work_for.delay(chance.uniform(0.001, 0.02)), 6),
    (lambda chance: jobs.await_for.delay(chance.uniform(0.001, 0.02)), 3),
    (lambda chance: jobs.fail_at_first.delay(chance.randint(1, 3)), 4),
    (lambda _: jobs.snooze_now_and_then.delay(), 3),
    (lambda _: jobs.give_up.delay(), 2),
    (lambda _: jobs.call_off.delay(), 2),
    (lambda _: jobs.work_for.delay(4.0), 0.01),
    (lambda _: jobs.kill_worker.delay(), 0.05),
)
"""Kinds of jobs, and how often each; the last but one takes longer than the lease of a soak."""

MANY_WAIT = 2000


def play(app: Backburner, order: Order) -> None:
    """Do one operation of a scene that somebody has set, and be killed before its nth command, if it has so many."""
    del app
    said = order.options
    clock = clock_of_scenes()
    store = open_store(order.url, clock=clock)
    scene = Scene(store, said["numbers"], clock)
    store.run(gated(OPERATIONS[said["operation"]](scene, PLAYERS[0]), dying_at(said["command"])))


def migrate(app: Backburner, order: Order) -> None:
    """Make the tables, and be killed before the nth command, if there are so many."""
    migrator = app.store._migrator  # type: ignore[attr-defined]  # of the stores that have tables
    make = migrator.migrate
    migrator.migrate = lambda: gated(make(), dying_at(order.options["command"]))
    app.migrate()


def dying_at(number: int) -> Callable[[], None]:
    """Return a gate that kills this process when somebody comes to it for the nth time."""
    comers = count(1)

    def pass_or_die() -> None:
        if next(comers) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return pass_or_die


ROLES: dict[str, Callable[[Backburner, Order], None]] = {
    function.__name__: function for function in (work, work_off, enqueue, enqueue_on_and_on, play, migrate)
}


def main(order: Order) -> None:
    """Carry out an order."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    if order.clock_is_off_by:
        shift_clock(order.clock_is_off_by)
    with app_of(order) as app, use(app):
        note_drafts(app)
        arm_from_environment()
        ROLES[order.role](app, order)


if __name__ == "__main__":
    main(Order(**json.loads(sys.argv[1])))
