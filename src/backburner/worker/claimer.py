"""The one place of a worker that claims and settles.

Settlements wait here and travel with the next claim, in one transaction. What was claimed and not started can be given
back. Where a store works beside the caller, the next claim can be begun while the jobs of the last one are performed.
Every method may be called from any thread.

When a claim fails, nobody knows whether it took jobs: perhaps only the reply was lost. So the lease of that claim is
asked first what it holds (`ClaimRequest.repeats`), and once more when even a request that was held up on its way must
have arrived.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from backburner.core import faults
from backburner.core.errors import StoreUnavailable
from backburner.core.job import Job
from backburner.core.lifecycle import Move
from backburner.core.ports import Claimed, ClaimRequest, Pending, Settlement, Store, WorkerInfo, lease_of, worker_of
from backburner.core.telemetry import LeasesLost, Telemetry
from backburner.worker.lease import Lease
from backburner.worker.unsettled import Unsettled, emptied

LATE = 30.0
"""Seconds after which a claim whose reply was lost has been applied, if ever."""


class Sent(NamedTuple):
    """A claim that is on its way."""

    request: ClaimRequest
    settlements: list[Settlement]


class Late(NamedTuple):
    """A lease that held nothing after its claim had failed."""

    lease: int
    ask_again_at: float
    """By the monotonic clock."""


class Claimer:
    """Holds what one worker has claimed."""

    def __init__(
        self,
        store: Store,
        info: WorkerInfo,
        wanted: ClaimRequest,
        telemetry: Telemetry,
        on_waiting: Callable[[], None],
        on_number: Callable[[int | None], None] = lambda _: None,
        lease: Lease | None = None,
    ) -> None:
        self._store = store
        self._wanted = replace(wanted, worker_name=info.name)
        self._info = info
        self._telemetry = telemetry
        self._on_waiting = on_waiting
        self._on_number = on_number
        self._lock = threading.Lock()
        self._batches = 0
        self._begun: tuple[Sent, Pending[Claimed]] | None = None
        self._doubtful: int | None = None
        """The lease under which a claim failed."""
        self._late: deque[Late] = deque()
        self._unsettled = Unsettled()
        self._has_news = True
        self.lease: Lease = Lease(timedelta(days=1)) if lease is None else lease
        """How long the worker may go by what it holds."""
        self.can_begin: bool = store.capabilities.overlaps
        """Whether it pays to begin a claim before its jobs are needed."""
        self.number: int | None = None
        """The number under which the worker is registered; None before its first claim."""
        self.waiting: deque[Job[Any]] = deque()
        """Claimed and not started, in order."""
        self.next_due: datetime | None = None
        """When the next job is due, as far as is known."""

    @property
    def has_unsettled(self) -> bool:
        """Whether settlements wait for the next claim."""
        return bool(self._unsettled)

    @property
    def keeps_others_waiting(self) -> bool:
        """Whether it holds, or may hold, what nobody performs, or has not settled what has ended."""
        return bool(self.waiting or self._unsettled or self._begun or self._doubtful is not None)

    @property
    def found_enough(self) -> bool:
        """Whether the last claim found as many jobs as it asked for, or there is news since."""
        return self._has_news

    @property
    def is_promising(self) -> bool:
        """Whether a claim may find jobs: it found enough the last time, or one has become due."""
        return self._has_news or self.seconds_until_due == 0.0

    @property
    def seconds_until_due(self) -> float | None:
        """How long it is until the next job is due; None when none is known of."""
        return None if self.next_due is None else max((self.next_due - self._store.now()).total_seconds(), 0.0)

    def expect_more(self) -> None:
        """Note that there may be new work."""
        self._has_news = True

    def claim(self, limit: int) -> int:
        """Take in the claim that was begun; if that gives nothing, settle what waits and claim at most `limit` jobs.

        Returns how many jobs came.
        """
        with self._lock:
            return self._collect() or self._ask_in_doubt() or self._claim(limit)

    def begin(self, limit: int) -> None:
        """Begin to settle what waits and to claim at most `limit` jobs."""
        with self._lock, self._sending(self._next_request(limit)) as sent:
            self._begun = sent, self._store.begin(self._store.claim(*sent))
        self._on_waiting()

    def claim_one(self, job_id: UUID) -> None:
        """Claim this one job. Raises JobNotFound, InvalidState."""
        with self._lock:
            self.waiting.append(self._store.run(self._store.claim_one(job_id, self._next_lease(), self._info.name)))
        self._on_waiting()

    def settle(self, settlement: Settlement) -> None:
        """Keep a settlement until the next claim or flush."""
        self._unsettled.add(settlement)

    def flush(self) -> None:
        """Settle what waits, at once."""
        with self._lock:
            self._flush()

    def give_back(self) -> None:
        """Release what was claimed and not started, what is being claimed too, and settle what waits."""
        with self._lock:
            _ = self._collect() or self._ask_in_doubt()
            has_released = self._release_waiting()
            self._flush()
            self._has_news = self._has_news or has_released
        if has_released:
            self._store.notify()

    def let_go_of_waiting(self) -> None:
        """Keep for later that what was not started is released. Asks the store for nothing, and waits for nobody."""
        self._release_waiting()

    def check_in(self, silence: timedelta, *, beats: bool) -> tuple[bool, bool]:
        """Return whether workers that are silent for so long need a rescue, and whether there is work nobody told of.

        `beats`: say that this worker is alive. When it was taken for dead, what it had not started is given back, and
        it registers anew with its next claim.
        """
        number = self.number if beats else None
        wanted = None if self._has_news else self._wanted
        asked_at = time.monotonic()
        faults.hit("checking in")
        news = self._store.run(self._store.check_in(silence.total_seconds(), number, wanted))
        faults.hit("checked in")
        if number is not None and not news.is_known:
            self._start_afresh(number)
        elif number is not None and number == self.number:
            self.lease.renew(asked_at)
        if self._late and self._late[0].ask_again_at < time.monotonic():
            self._ask_late()
        return news.is_rescue_needed, self._hears_of(news.next_due)

    def renew(self) -> None:
        """Settle what waits, and be heard of, as that was so long ago that no more jobs may be started."""
        self.flush()
        number = self.number
        if number is None:
            return
        asked_at = time.monotonic()
        if self._store.run(self._store.beat(number)):
            self.lease.renew(asked_at)
        else:
            self._start_afresh(number)

    def retire(self) -> None:
        """Settle what waits, give back the rest and strike the worker off."""
        try:
            self.give_back()
        except StoreUnavailable:
            self.give_back()  # once more: perhaps only a connection had died, and nobody will try again later
        with self._lock:
            number, self.number = self.number, None
            self.lease.forget()
            if number is not None:
                faults.hit("retiring")
                self._store.run(self._store.retire(number))
                faults.hit("retired")
                self._on_number(None)  # not before: should the process end in between, somebody has to bury the worker

    def _hears_of(self, due: datetime | None) -> bool:
        """Take note of when the next job is due; say whether that is sooner than was known."""
        if due is None or (self.next_due is not None and self.next_due <= due):
            return False
        self.next_due = due
        self._has_news = True
        return True

    def _flush(self) -> None:
        with self._unsettled.taken() as settlements:
            if settlements:
                faults.hit("settling")
                lost = self._store.run(self._store.settle(settlements))
                faults.hit("settled")
                self._settled(settlements, lost)

    def _release_waiting(self) -> bool:
        """Settle what was not started as released; say whether that was anything."""
        jobs = emptied(self.waiting)
        for job in jobs:
            self.settle(Settlement(job.id, job.lease or 0, Move.RELEASE))
        return bool(jobs)

    def _claim(self, limit: int) -> int:
        return self._send(self._next_request(limit))

    def _collect(self) -> int:
        begun, self._begun = self._begun, None
        if begun is None:
            return 0
        sent, pending = begun
        try:
            return self._received(sent, pending.result())
        except BaseException:
            self._failed(sent)
            raise

    def _ask_in_doubt(self) -> int:
        """After a claim that failed: settle what waits, and take in the jobs that it took all the same, if any."""
        if self._doubtful is None:
            return 0
        lease = self._doubtful
        came = self._ask(lease)
        self._doubtful = None
        if not came:
            self._late.append(Late(lease, time.monotonic() + LATE))
        return came

    def _ask_late(self) -> None:
        """Ask again a lease that held nothing, as its claim may have been on its way; give back what it holds now."""
        with self._lock:
            if not self._late or self._doubtful is not None:
                return
            came = self._ask(self._late[0].lease)
            self._late.popleft()
        if came:
            self.give_back()

    def _ask(self, lease: int) -> int:
        """Take in what is held under a lease; return how many jobs that is."""
        return self._send(self._request(lease, limit=0, repeats=True))

    def _send(self, request: ClaimRequest) -> int:
        with self._sending(request) as sent:
            return self._received(sent, self._store.run(self._store.claim(*sent)))

    def _start_afresh(self, number: int) -> None:
        """Forget a number that has been struck off; give back what was claimed under it and others do not have yet."""
        with self._lock:
            if self.number != number:
                return
            self.number = self._doubtful = None
            self.lease.forget()
            self._on_number(None)
            self._late.clear()
            self._has_news = True
        self.give_back()

    def _next_request(self, limit: int) -> ClaimRequest:
        return self._request(self._next_lease(), limit)

    def _request(self, lease: int, limit: int, *, repeats: bool = False) -> ClaimRequest:
        wanted = self._wanted
        return ClaimRequest(
            lease, wanted.worker_name, limit, wanted.queues, wanted.exclude, wanted.min_priority, wanted.max_priority,
            repeats,
        )  # fmt: skip

    def _next_lease(self) -> int:
        if self.number is None:
            asked_at = time.monotonic()
            faults.hit("registering")
            self.number = self._store.run(self._store.register(self._info))
            faults.hit("registered")
            self.lease.renew(asked_at)
            self._on_number(self.number)
            self._batches = 0
        self._batches += 1
        return lease_of(self.number, self._batches)

    @contextmanager
    def _sending(self, request: ClaimRequest) -> Iterator[Sent]:
        """Make a claim of a request and the settlements that wait; when the block fails, it may have been applied."""
        sent = Sent(request, self._unsettled.take())
        try:
            faults.hit("claiming")
            yield sent
        except BaseException:
            self._failed(sent)
            raise

    def _failed(self, sent: Sent) -> None:
        self._unsettled.put_back(sent.settlements)
        if worker_of(sent.request.lease) == self.number:  # what a number that was struck off holds is rescued
            self._doubtful = sent.request.lease
        self._has_news = True
        self._on_waiting()

    def _received(self, sent: Sent, claimed: Claimed) -> int:
        """Take in what a claim gave; return how many jobs."""
        faults.hit("claimed")
        came, asked = len(claimed.jobs), sent.request.limit
        self._settled(sent.settlements, claimed.lost)
        if asked:
            self.next_due = claimed.next_due
            self._has_news = came >= asked
        self.waiting.extend(claimed.jobs)
        if came:
            self._on_waiting()
        return came

    def _settled(self, settlements: list[Settlement], said_to_be_lost: list[UUID]) -> None:
        lost = self._unsettled.applied(settlements, said_to_be_lost)
        if lost:
            self._telemetry.emit(LeasesLost(self._info.name, tuple(lost)))
