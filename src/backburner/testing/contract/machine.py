"""A state machine that does the same things to a store and to the memory store, and compares them after every step.

::

    class MyStoreMachine(StoreMachine):
        def make_store(self, clock):
            return MyStore(clock=clock)

    TestMyStoreMachine = MyStoreMachine.TestCase
"""

# ruff: noqa: S101 # tests are made of assert
from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule

from backburner.core.errors import BackburnerError
from backburner.core.job import Progress
from backburner.core.lifecycle import Move, State
from backburner.core.ops import Op
from backburner.core.ports import UNSEEN, Claimed, ClaimRequest, JobFilter, Settlement, Store, WorkerInfo, lease_of
from backburner.stores.memory.store import MemoryStore
from backburner.testing.contract.driving import EVERY_STATE, ManualClock, new_id, new_job

# Small worlds, in which jobs meet: what is rare in them never happens.
QUEUES = st.sampled_from(["a", "b"])
PRIORITIES = st.integers(0, 1)
SECONDS = st.sampled_from([0.0, 0.0, -1.0, -1.0, -2.0, 5.0])
ERRORS = st.sampled_from([None, "", "ValueError: no"])
FILTERS = st.builds(
    JobFilter,
    states=st.none() | st.frozensets(st.sampled_from(State)),
    queue=st.none() | QUEUES,
    priority=st.sampled_from([None, None, 0]),
    tag=st.sampled_from([None, None, "x"]),
)
FEW = st.builds(
    JobFilter,
    states=st.none() | st.frozensets(st.sampled_from(State), min_size=1),
    queue=QUEUES,
    tag=st.sampled_from(["x", "x", None]),
)
CLAIMS = st.fixed_dictionaries(
    {"limit": st.sampled_from([1, 2, 3, 5, 0])},
    optional={
        "queues": st.sampled_from([None, None, ("a",), ("b", "a")]),
        "exclude": st.sampled_from([(), (), ("a",)]),
        "min_priority": st.sampled_from([None, None, 0, 1]),
        "max_priority": st.sampled_from([None, None, 0, 1]),
    },
)
ENDS = [Move.FINISH, Move.RETRY, Move.SNOOZE, Move.RELEASE, Move.FAIL, Move.CANCEL]
WORKERS = 2
LEASE = 30.0

Held = tuple[UUID, int]
"""A job and the lease under which it was claimed, perhaps long ago."""


class StoreMachine(RuleBasedStateMachine):
    """Enqueues, claims, settles and all the rest, with two workers, late ones included, on a clock of its own."""

    jobs: Bundle[UUID] = Bundle("jobs")
    held: Bundle[Held] = Bundle("held")

    def make_store(self, clock: ManualClock) -> Store:
        """Return a new, empty store that goes by this clock."""
        raise TypeError(f"{type(self).__name__} does not say how to make a store that goes by {clock}")

    def __init__(self) -> None:
        super().__init__()
        self.clock: ManualClock = ManualClock()
        self.model: MemoryStore = MemoryStore(clock=self.clock)
        self.store: Store = self.make_store(self.clock)
        self.numbers: list[int] = []
        self.batches: int = 0
        self.has_claimed: bool = False

    def teardown(self) -> None:
        self.store.close()

    def both(self, operation: Callable[[Any], Op[Any]]) -> Any:
        """Run an operation on both stores, see that they agree, and return what they gave."""
        expected = outcome(self.model, operation)
        assert outcome(self.store, operation) == expected
        return expected

    @initialize()
    def register_workers(self) -> None:
        info = WorkerInfo("worker", "host", 1, ("a", "b"), 1)
        self.numbers = [self.both(lambda store: store.register(info)) for _ in range(WORKERS)]

    @initialize(target=jobs, places=st.lists(st.tuples(QUEUES, PRIORITIES, SECONDS), min_size=3, max_size=9))
    def enqueue_first_jobs(self, places: list[tuple[str, int, float]]) -> Any:
        now = self.clock.now
        jobs = [
            new_job(now, queue=queue, priority=priority, run_at=now + timedelta(seconds=delay))
            for queue, priority, delay in places
        ]
        self.both(lambda store: store.enqueue(jobs))
        return multiple(*(job.id for job in jobs))

    @rule(
        target=jobs,
        queue=QUEUES,
        priority=PRIORITIES,
        delay=SECONDS,
        state=st.sampled_from([*[State.QUEUED] * 4, State.BLOCKED]),
        keep_failed=st.booleans(),
        tags=st.sampled_from([(), ("x",), ("y", "x")]),
        number=st.integers(1, 4),
    )
    def enqueue(self, queue: str, delay: float, number: int, **fields: Any) -> Any:
        run_at = self.clock.now + timedelta(seconds=delay)
        jobs = [new_job(self.clock.now, queue=queue, run_at=run_at, **fields) for _ in range(number)]
        self.both(lambda store: store.enqueue(jobs))
        return multiple(*(job.id for job in jobs))

    @rule(job_id=jobs)
    def enqueue_again(self, job_id: UUID) -> None:
        again = new_job(self.clock.now, id=job_id, queue="again")
        self.both(lambda store: store.enqueue([again, again]))

    @rule(target=held, worker=st.integers(0, WORKERS - 1), limit=st.integers(1, 6))
    def claim(self, worker: int, limit: int) -> Any:
        return self.claim_and_settle([], worker, {"limit": limit})

    @rule(target=held, worker=st.integers(0, WORKERS - 1), fields=CLAIMS)
    def claim_some(self, worker: int, fields: dict[str, Any]) -> Any:
        return self.claim_and_settle([], worker, fields)

    @precondition(lambda self: self.has_claimed)
    @rule(
        target=held,
        attempts=st.lists(held, min_size=1, max_size=4, unique_by=lambda pair: pair[0]),
        moves=st.lists(st.sampled_from([Move.FINISH, Move.FINISH, Move.RETRY, Move.FAIL]), min_size=4, max_size=4),
        worker=st.integers(0, WORKERS - 1),
        fields=CLAIMS,
    )
    def settle_and_claim(self, attempts: list[Held], moves: list[Move], worker: int, fields: dict[str, Any]) -> Any:
        pairs = zip(attempts, moves, strict=False)
        settlements = [Settlement(*attempt, move, run_at=self.clock.now, error="x") for attempt, move in pairs]
        return self.claim_and_settle(settlements, worker, fields)

    def claim_and_settle(self, settlements: list[Settlement], worker: int, fields: dict[str, Any]) -> Any:
        request = ClaimRequest(lease=self.next_lease(worker), worker_name=f"worker{worker}", **fields)
        claimed = self.both(lambda store: comparable(store, request, settlements))
        self.has_claimed = self.has_claimed or bool(claimed.jobs)
        return multiple(*((job.id, job.lease) for job in claimed.jobs))

    @rule(target=held, job_id=jobs, worker=st.integers(0, WORKERS - 1))
    def claim_one(self, job_id: UUID, worker: int) -> Any:
        lease = self.next_lease(worker)
        outcome_of_claim = self.both(lambda store: store.claim_one(job_id, lease, f"worker{worker}"))
        return multiple() if isinstance(outcome_of_claim, tuple) else (job_id, lease)

    @rule(
        attempt=held,
        move=st.sampled_from(ENDS),
        delay=SECONDS,
        error=ERRORS,
        keep=st.booleans(),
        counts=st.booleans(),
        result=st.sampled_from([None, None, "1"]),
        crashed=st.sampled_from([False, False, True]),
    )
    def settle(self, attempt: Held, move: Move, delay: float, crashed: bool, **fields: Any) -> None:
        fields |= {"run_at": self.clock.now + timedelta(seconds=delay), "crashed": crashed and move is not Move.FINISH}
        self.both(lambda store: store.settle([Settlement(*attempt, move, **fields)]))

    @rule(attempt=held, done=st.integers(0, 9), place=st.sampled_from([None, {"0": {"behind": 1}}]))
    def report_progress(self, attempt: Held, done: int, place: dict[str, Any] | None) -> None:
        self.both(lambda store: store.report_progress(*attempt, Progress(done, None, "note"), place))
        self.both(lambda store: store.is_cancel_requested(*attempt))
        self.both(lambda store: store.standing([attempt]))

    @rule(job_id=jobs, verb=st.sampled_from(["cancel", "cancel", "requeue", "delete"]))
    def change(self, job_id: UUID, verb: str) -> None:
        self.both(lambda store: getattr(store, verb)(job_id))

    @rule(which=FEW, verb=st.sampled_from(["requeue_all", "requeue_all", "delete_all"]))
    def change_all(self, which: JobFilter, verb: str) -> None:
        self.both(lambda store: getattr(store, verb)(which))

    @rule(queue=QUEUES, verb=st.sampled_from(["pause", "resume", "resume"]))
    def pause_or_resume(self, queue: str, verb: str) -> None:
        self.both(lambda store: getattr(store, verb)(queue))

    @rule(worker=st.integers(0, WORKERS - 1), verb=st.sampled_from(["beat", "beat", "retire", "bury"]))
    def beat_or_end(self, worker: int, verb: str) -> None:
        self.both(lambda store: getattr(store, verb)(self.numbers[worker]))

    @rule(worker=st.none() | st.integers(0, WORKERS - 1), wish=st.none() | CLAIMS)
    def check_in(self, worker: int | None, wish: dict[str, Any] | None) -> None:
        number = None if worker is None else self.numbers[worker]
        wanted = None if wish is None else ClaimRequest(lease=0, worker_name="", **wish)
        self.both(lambda store: store.check_in(LEASE, number, wanted))

    @rule(silence=st.sampled_from([0.0, LEASE, LEASE + 1, LEASE + 1]))
    def rescue(self, silence: float) -> None:
        self.clock.advance(silence)
        self.both(lambda store: store.rescue(LEASE))
        if silence > LEASE:
            self.register_workers()

    @rule(age=st.sampled_from([0.0, 5.0]), seconds=st.sampled_from([0.0, 0.000001, 1.0, 10.0]))
    def let_time_pass_and_prune(self, age: float, seconds: float) -> None:
        before = self.clock.advance(seconds) - timedelta(seconds=age)
        self.both(lambda store: store.prune(before))

    @rule(which=FILTERS, newest_first=st.booleans(), limit=st.integers(1, 3))
    def look(self, which: JobFilter, newest_first: bool, limit: int) -> None:
        self.both(lambda store: store.count(which))
        self.both(lambda store: store.oldest_due(which))
        page = self.both(lambda store: store.find(which, limit=limit, newest_first=newest_first))
        after = page[-1].id if page else new_id()
        self.both(lambda store: store.find(which, after=after, limit=limit, newest_first=newest_first))

    @invariant()
    def hold_the_same(self) -> None:
        self.both(lambda store: store.find(EVERY_STATE, limit=10_000))
        self.both(lambda store: store.queues())
        self.both(lambda store: store.workers())

    def next_lease(self, worker: int) -> int:
        """Return a token that was never used."""
        self.batches += 1
        return lease_of(self.numbers[worker], self.batches)


def outcome(store: Store, operation: Callable[[Any], Op[Any]]) -> Any:
    """Return what an operation gives, or which error it raises, as a pair."""
    try:
        return store.run(operation(store))
    except BackburnerError as error:
        return type(error), str(error)


def comparable(store: Any, request: ClaimRequest, settlements: list[Settlement]) -> Op[Claimed]:
    """Claim, and fill in what a store may leave open: the order of what was lost, and when the next job is due."""
    claimed: Claimed = yield from store.claim(request, settlements)
    next_due = claimed.next_due
    if next_due == UNSEEN:
        news = yield from store.check_in(60.0, None, request)
        next_due = news.next_due
    return claimed._replace(lost=sorted(claimed.lost), next_due=next_due)
