"""Hands that perform several jobs at once: ordinary ones in threads, async ones in one event loop.

A job that has a process of its own has a thread too, which waits for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from backburner.core.job import Job, PayloadReader
from backburner.core.ports import Watch
from backburner.worker.attempt import Attempts
from backburner.worker.claimer import Claimer
from backburner.worker.executors.desk import Desk
from backburner.worker.executors.hands import Tally
from backburner.worker.executors.routes import Routes
from backburner.worker.executors.threads import Threads
from backburner.worker.outcome import Outcome
from backburner.worker.prefetch import MOST, Prefetch
from backburner.worker.timeouts import ThreadAlarm

if TYPE_CHECKING:
    from backburner.worker.executors.loop import Loop

LONGEST_WAIT = 5.0
"""Seconds after which the worker looks whether a job has ended, though the job would have woken it."""

LAST_WAIT = 2.0
"""Seconds that interrupted jobs have to come to an end before the worker goes without them."""


class ManyHands:
    """Performs as many jobs at once as there are seats.

    The worker's own thread claims; it is woken when half of what was claimed ahead has been started, so that it claims
    many at once when jobs are short, and when a seat stays empty.
    """

    def __init__(
        self,
        seats: int,
        attempts: Attempts,
        reader: PayloadReader,
        claimer: Claimer,
        must_stop: Callable[[], bool],
        watch: Watch,
        longest_wait: Callable[[], float],
    ) -> None:
        self._attempts = attempts
        self._claimer = claimer
        self._must_stop = must_stop
        self._watch = watch
        self._longest_wait = longest_wait
        self._prefetch = Prefetch()
        self._routes = Routes(reader)
        self._desk = Desk(seats, claimer, must_stop, watch.wake)
        self._threads = Threads(seats, self._perform_in_thread, self._desk.fail)
        self._loop: Loop | None = None
        self._making_loop = threading.Lock()
        self._is_interrupted = False
        self._gives_up_at = float("inf")

    @property
    def last_start(self) -> float:
        """See `Hands.last_start`."""
        return self._desk.last_start

    @property
    def is_busy(self) -> bool:
        """See `Hands.is_busy`."""
        return self._desk.busy > 0 and time.monotonic() < self._gives_up_at

    def turn(self, limit: int) -> Tally:
        """See `Hands.turn`."""
        tally = Tally()
        tally.started = self._claim(limit)
        self._seat_waiting()
        self._collect(tally)
        may_claim = limit > tally.started
        while not tally.ended and self.is_busy:
            self._wait(may_claim=may_claim)
            self._seat_waiting()
            self._collect(tally)
            if may_claim and self._desk.has_free_seats and self._claimer.is_promising:
                break
        # Counted before what has ended is collected once more: no job may end in between, and be in neither.
        running = self._desk.busy + (0 if self._must_stop() else len(self._claimer.waiting))
        self._collect(tally)
        tally.running = running
        return tally

    def interrupt(self) -> None:
        """See `Hands.interrupt`."""
        self._is_interrupted = True
        self._gives_up_at = min(self._gives_up_at, time.monotonic() + LAST_WAIT)
        self._attempts.interrupt_apart()
        self._threads.interrupt()
        if self._loop is not None:
            self._loop.interrupt()
        self._watch.wake()

    def close(self) -> None:
        """See `Hands.close`."""
        self._desk.close()
        self.interrupt()  # what still runs: the store has failed, or the user has pressed Ctrl-C
        self._threads.close(self._gives_up_at)
        if self._loop is not None:
            self._loop.close(self._gives_up_at)

    def _claim(self, limit: int) -> int:
        """Claim as many jobs as there is room for, once there is room for a good many; or else settle."""
        claimer, desk = self._claimer, self._desk
        waiting = len(claimer.waiting)
        wanted = 0 if self._must_stop() else min(limit, desk.seats + self._ahead() - desk.busy - waiting)
        if not claimer.lease.may_start:
            claimer.renew()
        if waiting > desk.few:
            return 0
        if wanted > 0 and (claimer.is_promising or claimer.has_unsettled):
            return claimer.claim(wanted)
        claimer.flush()
        return 0

    def _ahead(self) -> int:
        """Return how many jobs may be held beside those that run: as many as are short enough."""
        return min((self._prefetch.size - 1) * self._desk.seats, MOST)

    def _seat_waiting(self) -> None:
        while (job := self._desk.take()) is not None:
            self._place(job)

    def _wait(self, *, may_claim: bool) -> None:
        # With no seat free, the next due time does not matter: only the end of a job does, and it wakes.
        longest = self._longest_wait() if may_claim and self._desk.has_free_seats else LONGEST_WAIT
        if self._watch.wait(max(min(longest, self._gives_up_at - time.monotonic()), 0.0)):
            self._claimer.expect_more()

    def _collect(self, tally: Tally) -> None:
        """Take in what has ended."""
        ended = self._desk.collect()
        for outcome, _ in ended:
            tally.note(outcome)
        self._prefetch.adapt(len(ended), sum(took for _, took in ended))
        self._desk.few = self._ahead() // 2

    def _place(self, job: Job[Any]) -> None:
        """Let a job that has a seat be performed where it belongs."""
        if self._leads_to_loop(job):
            self._event_loop().give(job)
        else:
            self._threads.give(job)

    def _leads_to_loop(self, job: Job[Any]) -> bool:
        return self._routes.lead_to_loop(job) and not self._attempts.takes_apart(job)

    def _turns_out_async(self, job: Job[Any], alarm: ThreadAlarm) -> bool:
        """Load a job that may be async, and say whether it is."""
        if self._attempts.takes_apart(job) or not self._routes.may_lead_to_loop(job):
            return False
        return self._attempts.load(job, alarm) and self._routes.is_async(job)

    def _event_loop(self) -> Loop:
        with self._making_loop:
            if self._loop is None:
                from backburner.worker.executors.loop import Loop  # asyncio is not needed before the first async job

                self._loop = Loop(self._attempts, self._end_in_loop, self._desk.fail)
                if self._is_interrupted:  # before there was a loop to be told
                    self._loop.interrupt()
            return self._loop

    def _perform_in_thread(self, job: Job[Any], alarm: ThreadAlarm) -> Job[Any] | None:
        """Perform a job, or pass an async one on; return the next for this thread."""
        if self._turns_out_async(job, alarm):
            self._event_loop().give(job)
            return None
        began = time.monotonic()
        outcome = self._attempts.make(job, alarm)
        following = self._desk.end(outcome, time.monotonic() - began)
        if following is not None and self._leads_to_loop(following):
            self._event_loop().give(following)
            return None
        return following

    def _end_in_loop(self, outcome: Outcome, took: float) -> Job[Any] | None:
        """Take in how a job of the loop ended; return the next for the loop."""
        following = self._desk.end(outcome, took)
        if following is not None and not self._leads_to_loop(following):
            self._threads.give(following)
            return None
        return following
