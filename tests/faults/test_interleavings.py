"""Two and three workers at once: whatever they do, and whenever, it is as if one had done it after the other.

What that comes to is what the memory store makes of it, in one of the orders.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from itertools import permutations
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from backburner.core.errors import BackburnerError
from backburner.core.job import Job
from backburner.core.ports import ClaimRequest
from backburner.stores.memory.store import MemoryStore
from tests.faults.interleaving import Player, interleave
from tests.faults.scenes import (
    CLAIMS,
    IDS,
    NAMES,
    OPERATIONS,
    PLAYERS,
    RESCUES,
    Scene,
    World,
    clock_of_scenes,
    set_scene,
    told,
    touched,
    world,
)
from tests.faults.stage import Stage

pytestmark = pytest.mark.slow

LONGEST = 12
"""Statements of an operation at the most."""

TRIPLES = [
    ("finish", "claim all", "retire"),
    ("retry", "claim all", "retire"),
    ("fail", "claim all", "retire"),
    ("finish", "rescue", "claim"),
    ("retry", "rescue", "claim all"),
    ("claim", "claim", "claim"),
    ("finish and claim", "bury", "claim"),
    ("finish", "cancel running", "rescue"),
    ("release", "retire", "rescue"),
    ("claim", "cancel queued", "delete queued"),
    ("claim", "pause", "requeue failed"),
    ("enqueue many", "enqueue many", "claim all"),
    ("beat", "rescue", "finish"),
    ("prune", "enqueue many", "requeue cancelled"),
    ("claim one", "claim", "cancel queued"),
]


class Ending(NamedTuple):
    """What operations gave, and what they left behind."""

    answers: tuple[object, ...]
    world: World

    def unlike(self, other: Ending) -> str:
        """Return what is here and not there."""
        mine, theirs = self.parts(), other.parts()
        return "\n".join(part for part in mine if part not in theirs)

    def parts(self) -> list[str]:
        return [str(part) for part in (self.answers, *self.world.jobs, self.world.workers)]


class Theatre:
    """Three who play in the same scene, and what they may come to."""

    def __init__(self, stage: Stage, players: Sequence[Player]) -> None:
        self._stage = stage
        self._players = players
        self._possible: dict[tuple[str, ...], list[Ending]] = {}

    def play(self, names: Sequence[str], steps: Sequence[int]) -> bool:
        """Let operations run against each other, and check what came of it; False: no more steps are possible."""
        stage, players = self._stage, self._players[: len(names)]
        stage.set_again([player.store for player in players])
        scenes = [stage.scene(player.store) for player in players]
        makes = [
            lambda scene=scene, name=name, who=who: OPERATIONS[name](scene, who)
            for scene, name, who in zip(scenes, names, PLAYERS, strict=False)
        ]
        is_new = interleave(players, makes, steps)
        answers = tuple(told(scene, player.answer) for scene, player in zip(scenes, players, strict=True))
        ending = Ending(answers, world(scenes[0]))
        possible = self.possible(tuple(names), ending)
        assert ending in possible, told_apart(names, steps, ending, possible)
        return is_new

    def possible(self, names: tuple[str, ...], ending: Ending) -> list[Ending]:
        """Return what the operations come to when one is done after the other.

        Where claims do not wait for what others have in their hands, they may pass it by.
        """
        if names not in self._possible:
            self._possible[names] = [in_turn(names, order) for order in orders(names)]
        possible = self._possible[names]
        if ending in possible or self._stage.kind == "sqlite":
            return possible
        return possible + [in_turn(names, order, ending) for order in orders(names)]


class Passing(MemoryStore):
    """A store whose claims and rescues may pass by jobs that others have in their hands."""

    passed_by: frozenset[UUID] = frozenset()

    def _next(self, request: ClaimRequest, now: datetime) -> list[UUID]:
        with self._taken_out():
            return super()._next(request, now)

    def _rescue_orphans(self) -> list[Job[Any]]:
        with self._taken_out():
            return super()._rescue_orphans()

    @contextmanager
    def _taken_out(self) -> Iterator[None]:
        jobs = [self._tables.take(job_id) for job_id in self.passed_by if job_id in self._tables.live]
        yield
        for job in jobs:
            self._tables.put(job)


def orders(names: Sequence[str]) -> Iterator[tuple[int, ...]]:
    return permutations(range(len(names)))


def told_apart(names: Sequence[str], steps: Sequence[int], ending: Ending, possible: list[Ending]) -> str:
    nearest = min(possible, key=lambda other: len(ending.unlike(other)))
    how = f"got\n{ending.unlike(nearest)}\ninstead of\n{nearest.unlike(ending)}\n(or one of {len(possible) - 1} more)"
    return f"{' | '.join(names)}, steps {steps}:\n{how}"


def in_turn(names: Sequence[str], order: Sequence[int], seen: Ending | None = None) -> Ending:
    """Do operations one after the other in memory; claims pass by what they did when `seen` was seen."""
    clock = clock_of_scenes()
    store = Passing(clock=clock)
    scene = set_scene(store, clock)
    answers: dict[int, object] = {}
    for place in order:
        if seen is not None:
            store.passed_by = passed_by(names, place, seen.answers[place])
        answers[place] = told(scene, done(scene, OPERATIONS[names[place]](scene, PLAYERS[place])))
    return Ending(tuple(answers[place] for place in range(len(names))), world(scene))


def passed_by(names: Sequence[str], place: int, answer: object) -> frozenset[UUID]:
    """Return the jobs that others may have had in their hands, and that a claim or a rescue did not give."""
    others = [name for other, name in enumerate(names) if other != place]
    in_hands = set().union(*map(touched, others)) & set(NAMES)
    match answer:
        case (list(given), _) if names[place] in CLAIMS:
            return frozenset(IDS[name] for name in in_hands - set(given))
        case list() if names[place] in RESCUES:
            return frozenset(IDS[name] for name in in_hands if not any(f"'{name}'" in str(each) for each in answer))
    return frozenset()


def done(scene: Scene, op: Any) -> object:
    try:
        return scene.store.run(op)
    except BackburnerError as refusal:
        return refusal


@pytest.fixture(scope="module")
def theatre(stage: Stage) -> Iterator[Theatre]:
    with ExitStack() as open_players:
        yield Theatre(stage, [open_players.enter_context(Player(stage.open_store())) for _ in PLAYERS])


@pytest.mark.parametrize("names", TRIPLES, ids=" | ".join)
def test_one_that_is_interrupted_by_another_that_is_interrupted(theatre: Theatre, names: tuple[str, ...]) -> None:
    for steps in range(LONGEST):
        is_new = [theatre.play(names, (steps, more)) for more in range(4)]
        if not any(is_new):
            break


@pytest.mark.parametrize("first", OPERATIONS)
def test_one_that_is_interrupted_by_another(theatre: Theatre, first: str) -> None:
    """At each of its statements, by each other operation."""
    for second in OPERATIONS:
        if touched(first).isdisjoint(touched(second)):
            continue
        for steps in range(1, LONGEST):
            if not theatre.play((first, second), (steps,)):
                break
