"""A small world of jobs and workers, the same in every store, and the operations that are done to it.

Jobs go by short names: `q1` is queued, `r1` is running, and so on. Any process can play in a scene that another one has
set, as nothing in it is left to chance but the numbers of the workers.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from backburner.core.job import Job, Progress
from backburner.core.lifecycle import Move, State
from backburner.core.ops import Op
from backburner.core.ports import Claimed, ClaimRequest, JobFilter, Settlement, Store, WorkerInfo, lease_of
from backburner.testing.contract.driving import START, ManualClock, new_job

LONG_AGO = START - timedelta(seconds=100)
SILENCE = 30.0
"""Seconds after which a worker is taken for dead."""

WORKERS = ("dead", "live", "a", "b", "c")
"""`dead` has not been heard of for long; `a`, `b` and `c` belong to those who play."""

PLAYERS = ("a", "b", "c")

NAMES = ("q1", "q2", "q3", "r1", "r2", "r3", "f1", "s1", "c1", "n1", "n2")
"""Queued; running at `dead` (r1 and r2) and at `live` (r3); failed; succeeded; cancelled; not made yet."""

IDS = {name: UUID(int=(0x0190_0000_0000 << 80) | (7 << 76) | (2 << 62) | place) for place, name in enumerate(NAMES, 1)}


class Scene:
    """The world in one store, as one of those sees it who play."""

    def __init__(self, store: Store, numbers: dict[str, int], clock: ManualClock) -> None:
        self.store = store
        self.numbers = numbers
        self.clock = clock

    def lease(self, worker: str, batch: int = 1) -> int:
        return lease_of(self.numbers[worker], batch)

    def settlement(self, job: str, move: Move, worker: str = "dead", **fields: Any) -> Settlement:
        run_at = START if move in (Move.RETRY, Move.SNOOZE) else None
        return Settlement(IDS[job], self.lease(worker), move, run_at=run_at, **fields)

    def request(self, player: str, limit: int, **fields: Any) -> ClaimRequest:
        return ClaimRequest(self.lease(player), player, limit, **fields)


def clock_of_scenes() -> ManualClock:
    """Return a clock that stands still when the scene has been set."""
    return ManualClock(START)


def set_scene(store: Store, clock: ManualClock) -> Scene:
    """Make the world in an empty store that goes by this clock."""
    clock.now = LONG_AGO
    scene = Scene(store, {}, clock)
    for worker in WORKERS:
        clock.now = LONG_AGO if worker == "dead" else START
        scene.numbers[worker] = store.run(store.register(WorkerInfo(worker, "host", 1, None, 1)))
    clock.now = LONG_AGO
    for worker, names in (("dead", ("r1", "r2")), ("live", ("r3",)), ("a", ("f1", "s1", "c1"))):
        store.run(store.enqueue([draft(name) for name in names]))
        for name in names:
            store.run(store.claim_one(IDS[name], scene.lease(worker), worker))
    ends = (("f1", Move.FAIL), ("s1", Move.FINISH), ("c1", Move.CANCEL))
    store.run(store.settle([scene.settlement(name, move, "a", error=f"{move}!") for name, move in ends]))
    clock.now = START
    store.run(store.enqueue([draft(name) for name in ("q1", "q2", "q3")]))
    return scene


def draft(name: str) -> Job[Any]:
    """Return a job before it is stored."""
    queue, priority = ("mail", 1) if name == "q3" else ("default", 0)
    return new_job(START - timedelta(seconds=5), id=IDS[name], queue=queue, priority=priority)


Play = Callable[[Scene, str], Op[Any]]
"""Makes an operation of a player."""


def _settle(move: Move, *jobs: str, **fields: Any) -> Play:
    return lambda scene, _: scene.store.settle([scene.settlement(job, move, **fields) for job in jobs])


OPERATIONS: dict[str, Play] = {
    "enqueue": lambda scene, _: scene.store.enqueue([draft("n1")]),
    "enqueue many": lambda scene, _: scene.store.enqueue([draft(name) for name in ("q1", "s1", "n1", "n2")]),
    "claim": lambda scene, player: scene.store.claim(scene.request(player, 2)),
    "claim all": lambda scene, player: scene.store.claim(scene.request(player, 10)),
    "finish and claim": lambda scene, player: scene.store.claim(
        scene.request(player, 2), [scene.settlement("r1", Move.FINISH)]
    ),
    "claim one": lambda scene, player: scene.store.claim_one(IDS["q1"], scene.lease(player), player),
    "finish": _settle(Move.FINISH, "r1", "r2"),
    "retry": _settle(Move.RETRY, "r1", error="no"),
    "release": _settle(Move.RELEASE, "r1", "r2"),
    "fail": _settle(Move.FAIL, "r1", error="no"),
    "fail and drop": _settle(Move.FAIL, "r1", error="no", keep=False),
    "report": lambda scene, _: scene.store.report_progress(IDS["r1"], scene.lease("dead"), Progress(1, 2, None)),
    "cancel queued": lambda scene, _: scene.store.cancel(IDS["q1"]),
    "cancel running": lambda scene, _: scene.store.cancel(IDS["r1"]),
    "requeue failed": lambda scene, _: scene.store.requeue(IDS["f1"]),
    "requeue cancelled": lambda scene, _: scene.store.requeue(IDS["c1"]),
    "delete queued": lambda scene, _: scene.store.delete(IDS["q1"]),
    "delete running": lambda scene, _: scene.store.delete(IDS["r1"]),
    "rescue": lambda scene, _: scene.store.rescue(SILENCE),
    "bury": lambda scene, _: scene.store.bury(scene.numbers["dead"]),
    "retire": lambda scene, _: scene.store.retire(scene.numbers["dead"]),
    "beat": lambda scene, _: scene.store.beat(scene.numbers["dead"]),
    "prune": lambda scene, _: scene.store.prune(START, 500),
    "pause": lambda scene, _: scene.store.pause("default"),
}


CLAIMS = frozenset({"claim", "claim all", "finish and claim"})
RESCUES = frozenset({"rescue", "bury"})

_TOUCHED = {
    "claim": (*NAMES, "the queue"),
    "claim all": (*NAMES, "the queue"),
    "finish and claim": (*NAMES, "the queue"),
    "enqueue": ("n1",),
    "enqueue many": ("q1", "s1", "n1", "n2"),
    "claim one": ("q1",),
    "cancel queued": ("q1",),
    "delete queued": ("q1",),
    "finish": ("r1", "r2"),
    "release": ("r1", "r2"),
    "rescue": ("r1", "r2", "the worker"),
    "bury": ("r1", "r2", "the worker"),
    "retire": ("r1", "r2", "the worker"),
    "requeue failed": ("f1",),
    "requeue cancelled": ("c1",),
    "prune": ("s1", "c1"),
    "beat": ("the worker",),
    "pause": ("the queue",),
}
"""What an operation may have in its hands; for the others it is r1."""


def touched(name: str) -> set[str]:
    """Return what an operation may have in its hands: jobs, and more."""
    return set(_TOUCHED.get(name, ("r1",)))


class World(NamedTuple):
    """All that is in a store, in words that are the same for all stores."""

    jobs: tuple[tuple[object, ...], ...]
    workers: tuple[str, ...]


def world(scene: Scene) -> World:
    """Return what is there now."""
    store = scene.store
    jobs = store.run(store.find(JobFilter(states=frozenset(State))))
    workers = tuple(worker.name for worker in store.run(store.workers()))
    return World(tuple(_seen(scene, job) for job in jobs), workers)


def told(scene: Scene, answer: object) -> object:
    """Return what an operation gave, in words that are the same for all stores."""
    match answer:
        case Claimed(jobs, lost, _):
            return [name_of(job.id) for job in jobs], sorted(map(name_of, lost))
        case Job():
            return _seen(scene, answer)
        case list():
            return sorted(str(told(scene, each)) for each in answer)
        case UUID():
            return name_of(answer)
        case bool() | None:
            return answer
        case BaseException():
            return type(answer).__name__
    return answer


def name_of(job_id: UUID) -> str:
    """Return the short name of a job."""
    return next(name for name, known in IDS.items() if known == job_id)


def _seen(scene: Scene, job: Job[Any]) -> tuple[object, ...]:
    leases = {scene.lease(worker): worker for worker in WORKERS}
    return (
        name_of(job.id),
        str(job.state),
        f"{job.attempts} attempts",
        f"{job.crashes} crashes",
        f"at {leases.get(job.lease or 0)}",
        job.cancel_requested,
        (job.run_at - START).total_seconds(),
        (job.last_error or "").partition("\n")[0],
        job.progress,
        None if job.state is State.RUNNING else job.locked_by,
    )
