"""What the tests of the contract drive a store with."""

# ruff: noqa: S101 # tests are made of assert
from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

import pytest

from backburner.core.job import Job
from backburner.core.lifecycle import Move, State
from backburner.core.ops import Op
from backburner.core.ports import UNSEEN, Claimed, ClaimRequest, JobFilter, Settlement, Store, WorkerInfo, lease_of

T = TypeVar("T")

START = datetime(2030, 1, 1, 12, tzinfo=UTC)
EVERY_STATE = JobFilter(states=frozenset(State))

_numbers = count(1)


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = START) -> None:
        self.now: datetime = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> datetime:
        """Let time pass; return the new time."""
        self.now += timedelta(seconds=seconds)
        return self.now


class Driven:
    """A store whose operations run when they are called: `driven.count(which)` runs or awaits `store.count(which)`."""

    def __init__(self, store: Store, clock: ManualClock, run: Callable[..., Any]) -> None:
        self.store = store
        self.clock = clock
        self._run = run

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = getattr(self.store, name)
        return lambda *args, **kwargs: self._run(operation(*args, **kwargs))

    def on(self, connection: object, op: Op[Any]) -> Any:
        """Run an operation on the caller's connection."""
        return self._run(op, connection)

    def add(self, **fields: Any) -> Job[Any]:
        """Enqueue a job that is due now, with these fields; return it."""
        job = new_job(self.clock(), **fields)
        self._run(self.store.enqueue([job]))
        return job

    def add_running(self, **fields: Any) -> Job[Any]:
        """Enqueue a job and let a new worker claim it; return it as claimed."""
        return self.worker().take(self.add(**fields))

    def worker(self, name: str = "ann") -> Worker:
        """Register a worker."""
        return Worker(self, name)

    def reread(self, job: Job[Any]) -> Job[Any]:
        """Return a job as it is now; it must be there."""
        found: Job[Any] | None = self._run(self.store.get(job.id))
        assert found is not None, f"{job.id} is gone"
        return found


class Worker:
    """A registered worker that claims and settles."""

    def __init__(self, driven: Driven, name: str) -> None:
        self._driven = driven
        self._batches = count(1)
        self.name: str = f"{name}-{next(_numbers)}"
        self.number: int = driven.register(WorkerInfo(self.name, "host", 1, None, 1))

    def next_lease(self) -> int:
        """Return a token that was never used."""
        return lease_of(self.number, next(self._batches))

    def request(self, limit: int = 100, **fields: Any) -> ClaimRequest:
        """Return a request under a new lease."""
        return ClaimRequest(lease=self.next_lease(), worker_name=self.name, limit=limit, **fields)

    def claim(self, limit: int = 100, settlements: Sequence[Settlement] = (), **fields: Any) -> Claimed:
        """Claim, and return all that the claim gave."""
        claimed: Claimed = self._driven.claim(self.request(limit, **fields), settlements)
        return claimed

    def claimed_ids(self, limit: int = 100, **fields: Any) -> list[UUID]:
        """Claim, and return the ids of the jobs."""
        return [job.id for job in self.claim(limit, **fields).jobs]

    def next_due_after(self, limit: int) -> datetime | None:
        """Claim fewer jobs than this, and return when the next one is due; where nobody has looked, ask again."""
        claimed = self.claim(limit)
        assert len(claimed.jobs) < limit
        return self.next_due_after(limit) if claimed.next_due == UNSEEN else claimed.next_due

    def take(self, job: Job[Any]) -> Job[Any]:
        """Claim this one job."""
        taken: Job[Any] = self._driven.claim_one(job.id, self.next_lease(), self.name)
        return taken


class Contract:
    """The fixtures. A subclass makes the store."""

    def make_store(self, clock: ManualClock) -> Store:
        """Return a new, empty store that goes by this clock."""
        raise TypeError(f"{type(self).__name__} does not say how to make a store that goes by {clock}")

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture(params=["run", "arun"])
    def driven(self, request: pytest.FixtureRequest, clock: ManualClock) -> Iterator[Driven]:
        store = self.make_store(clock)
        with asyncio.Runner() as runner:
            awaited = lambda *args: runner.run(store.arun(*args))  # noqa: E731
            yield Driven(store, clock, awaited if request.param == "arun" else store.run)
        store.close()


def new_id() -> UUID:
    """Return a UUIDv7 that is greater than all before in this process, and that no other process makes."""
    number = next(_numbers) << 32 | secrets.randbits(32)
    return UUID(int=(0x0190_0000_0000 << 80) | (7 << 76) | (2 << 62) | number)


def new_job(now: datetime = START, **fields: Any) -> Job[Any]:
    """Return a job that is due now."""
    values: dict[str, Any] = {
        "id": new_id(),
        "name": "send_welcome",
        "handler": '{"v":1,"call":{"function":"shop:send_welcome"}}',
        "queue": "default",
        "priority": 0,
        "run_at": now,
        "created_at": now,
    }
    return Job(**{**values, **fields})


def ended(job: Job[Any], move: Move, **fields: Any) -> Settlement:
    """Return the settlement of a job that is held."""
    assert job.lease is not None
    return Settlement(job.id, job.lease, move, **fields)
