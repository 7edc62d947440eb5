"""A life of jobs in which everything happens that can happen to them, the same in every store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from backburner.authoring.ids import UuidMaker
from backburner.core.job import Job, Progress
from backburner.core.lifecycle import MOVES, Move, State
from backburner.core.ops import Op
from backburner.core.ports import MAX_CRASHES, JobFilter, Settlement, Store
from backburner.testing.contract.driving import EVERY_STATE, Driven, ManualClock, ended, new_job

LEASE = 30.0

MANY = 250
"""So many jobs are copied, where a store copies."""

OFTEN = 5
"""Claims, one after the other; each acknowledges what the last one gave, and goes on there if that is not long ago."""

ENDS = (Move.FINISH, Move.RETRY, Move.SNOOZE, Move.RELEASE, Move.FAIL, Move.CANCEL)

ASKED_FOR = {
    "claim": Move.CLAIM,
    "claim_one": Move.CLAIM,
    "cancel": Move.CANCEL,
    "requeue": Move.REQUEUE,
    "requeue_all": Move.REQUEUE,
    "retire": Move.RELEASE,
    "rescue": Move.RESCUE,
    "bury": Move.RESCUE,
}
"""The move that an operation makes, where no settlement says it."""

Made = tuple[Move, State, State]
"""A move, and the states between which it was made."""

next_id = UuidMaker()  # such as applications make; those of the contract look as if they had been here before


class Watched(Driven):
    """A store whose jobs are looked at before and after each operation."""

    def __init__(self, store: Store, clock: ManualClock, run: Callable[[Op[Any]], Any]) -> None:
        super().__init__(store, clock, run)
        self.operations: set[str] = set()
        self.moves: set[Made] = set()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = super().__getattr__(name)

        def watched(*args: Any, **options: Any) -> Any:
            before = self._jobs()
            answer = operation(*args, **options)
            self.operations.add(name)
            self.moves |= set(moves_made(before, self._jobs(), moves_asked_for(name, args)))
            return answer

        return watched

    def _jobs(self) -> Mapping[UUID, Job[Any]]:
        return {job.id: job for job in self.store.run(self.store.find(EVERY_STATE, limit=10_000))}


def moves_asked_for(name: str, args: tuple[Any, ...]) -> Callable[[UUID], Move | None]:
    """Return what says which move of a job an operation is asked for."""
    given = [settlement for arg in args if isinstance(arg, list) for settlement in arg]
    settled = {settlement.job_id: settlement.move for settlement in given if isinstance(settlement, Settlement)}
    return lambda job_id: settled.get(job_id, ASKED_FOR.get(name))


def moves_made(
    before: Mapping[UUID, Job[Any]], after: Mapping[UUID, Job[Any]], asked_for: Callable[[UUID], Move | None]
) -> Iterator[Made]:
    """Yield the moves of the jobs that were there before and still are; one may end as another than was asked for."""
    for job_id in before.keys() & after.keys():
        begin, end = before[job_id].state, after[job_id].state
        move, ways = asked_for(job_id), ways_between(begin, end)
        if before[job_id] == after[job_id] or (begin is end and move not in ways):
            continue
        assert move in ways or len(ways) == 1, f"no move that is called {move} leads from {begin} to {end}"
        yield (move if move in ways else ways[0]), begin, end


def ways_between(begin: State, end: State) -> list[Move]:
    """Return the moves that lead from one state to another."""
    return [move for move, (begins, ends) in MOVES.items() if begin in begins and end is ends]


def are_claimed(life: Watched) -> None:
    """Jobs are claimed from one queue, from two of one priority or of different ones, from all."""
    places = [("one", 0), ("two", 0), ("three", 1)]
    for queue, priority in places * OFTEN * 3:
        life.add(queue=queue, priority=priority)
    worker = life.worker()
    for queues in [("one",), ("one", "two"), ("one", "three"), None]:
        done: list[Settlement] = []
        for _ in range(OFTEN):
            jobs = worker.claim(1, done, queues=queues).jobs
            done = [ended(job, Move.FINISH) for job in jobs]
            assert len(done) == 1
    later = life.add(queue="later", run_at=life.clock.now + timedelta(days=1))
    assert worker.claim(queues=("later",)) == ([], [], later.run_at)


def are_claimed_and_settled_at_once(life: Watched) -> None:
    """A claim acknowledges what was done before; one whose answer was lost is repeated."""
    worker = life.worker()
    done = [life.add_running(queue="done") for _ in range(3)]
    life.add(queue="next")
    request = worker.request(1, queues=("next",))
    life.claim(request, [ended(done[0], Move.FINISH)])
    assert life.claim(replace(request, repeats=True), [ended(done[1], Move.FINISH)]).jobs
    worker.claim(0, [ended(done[2], Move.FINISH)])


def end(life: Watched) -> None:
    """Attempts end in every way, kept and not kept."""
    for move in ENDS:
        for keep in (True, False):
            job = life.add_running()
            assert life.settle([ended(job, move, keep=keep, run_at=life.clock.now, error="why")]) == []
    assert life.settle([ended(life.add_running(), Move.FINISH, result="1")]) == []
    assert life.settle([ended(life.add_running(), Move.SNOOZE, run_at=life.clock.now, crashed=True)]) == []


def are_asked_to_stop(life: Watched) -> None:
    """A running job tells how far it has come, is asked to stop, and is cancelled where it would be put back."""
    job = life.add_running()
    assert life.report_progress(job.id, job.lease, Progress(1, 2, None))
    life.cancel(job.id)
    assert life.is_cancel_requested(job.id, job.lease)
    assert life.standing([(job.id, job.lease)]) == ([job.id], [])
    life.settle([ended(job, Move.RELEASE)])


def are_changed_by_people(life: Watched) -> None:
    """Jobs in every state are cancelled, begun anew and deleted, one by one and all at once."""
    for state in (State.QUEUED, State.BLOCKED):
        life.cancel(life.add(state=state).id)
        life.requeue(life.add(state=state, run_at=life.clock.now + timedelta(days=1)).id)
        life.delete(life.add(state=state).id)
    for change in (life.requeue, life.delete):
        change(failed(life))
        change(life.cancel(life.add().id).id)
    for change_all in (life.requeue_all, life.delete_all):
        failed(life, queue="many")
        life.cancel(life.add(queue="many").id)
        assert change_all(JobFilter(EVERY_STATE.states, queue="many")) >= 2


def lose_their_workers(life: Watched) -> None:
    """Workers retire, fall silent, and are buried; a job that takes too many with it fails."""
    worker = life.worker()
    worker.take(life.add())
    life.retire(worker.number)
    life.add_running()
    life.clock.advance(LEASE + 1)
    assert life.rescue(LEASE)
    for keep in (True, False):
        job = life.add(keep_failed=keep)
        for _ in range(MAX_CRASHES):
            worker = life.worker()
            worker.take(job)
            life.bury(worker.number)


def are_watched_over(life: Watched) -> None:
    """Workers say that they are alive and ask what there is to do; queues are paused; history is pruned."""
    worker = life.worker()
    assert life.beat(worker.number)
    for wanted in (None, worker.request(), worker.request(queues=("new", "one"))):
        assert life.check_in(LEASE, worker.number, wanted).is_known
    life.pause("new")
    life.resume("new")
    life.cancel(life.add().id)
    life.clock.advance(1)
    assert life.prune(life.clock.now)


def are_looked_at(life: Watched) -> None:
    """People look at jobs of every state, by every part of a filter, and at queues and workers."""
    job = life.add(queue="seen", tags=("t",))
    due = JobFilter(None, "seen", job.name, "t", job.priority, job.run_at + timedelta(seconds=1))
    life.cancel(life.add().id)
    failed(life)
    alone = [JobFilter(frozenset({state})) for state in (State.FAILED, State.CANCELLED)]
    for which in (due, EVERY_STATE, replace(EVERY_STATE, queue="seen"), *alone):
        assert life.count(which)
        page = life.find(which, limit=1)
        life.find(which, after=page[0].id, newest_first=True)
    assert life.oldest_due(due) == life.get(job.id) == job
    life.worker()
    assert life.queues()
    assert life.workers()


def come(life: Watched) -> None:
    """Jobs are enqueued: one, a few, many, and such as may have been here before."""
    for number in (0, 1, 3, MANY):
        life.enqueue([new_job(life.clock.now, id=next_id(), queue="new") for _ in range(number)])
    over = life.cancel(life.add().id)
    for jobs in ([over], [over, new_job(life.clock.now, queue="new")]):
        life.enqueue(jobs)
        assert life.get(over.id) == over


def failed(life: Watched, **fields: Any) -> UUID:
    """Return the id of a job that has failed."""
    job = life.add_running(**fields)
    life.settle([ended(job, Move.FAIL, error="why")])
    return job.id


PARTS: tuple[Callable[[Watched], None], ...] = (
    are_claimed,
    are_claimed_and_settled_at_once,
    end,
    are_asked_to_stop,
    are_changed_by_people,
    lose_their_workers,
    are_watched_over,
    are_looked_at,
    come,
)
"""What jobs do, or what is done to them."""
