"""One stretch of work of a worker: registered, with hands, a pulse and a watch; all of them end with it."""

from __future__ import annotations

import time
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING

from backburner.core.errors import BackburnerError
from backburner.core.parts import Parts
from backburner.core.ports import ClaimRequest, Watch, WorkerInfo
from backburner.worker import cancels
from backburner.worker.claimer import Claimer
from backburner.worker.ending import Ending
from backburner.worker.executors.hands import Hands, Tally
from backburner.worker.executors.inline import InlineHands
from backburner.worker.executors.many import ManyHands
from backburner.worker.executors.process import Processes
from backburner.worker.fence import Fence
from backburner.worker.presence import Presence
from backburner.worker.pulse import Chore, Pulse
from backburner.worker.roster import NotedAttempts, Roster
from backburner.worker.shared_lease import SharedLease
from backburner.worker.station import LAST
from backburner.worker.trouble import CHECKING_IN, Outage
from backburner.worker.upkeep import prune
from backburner.worker.upkeep.rounds import Rounds

if TYPE_CHECKING:
    from backburner.worker.worker import Worker

PATIENCE = 0.2
"""Seconds that a job may keep those behind it waiting, until they are given back to other workers."""

LOOK_EVERY = 0.1
"""Seconds between two looks for such a job, while any wait."""

TRY_AGAIN_AFTER = 1.0
"""Seconds after which that is tried again when it failed."""

NEVER = float("inf")


class Shift:
    """Everything a worker needs while it works."""

    def __init__(self, worker: Worker, parts: Parts, info: WorkerInfo, request: ClaimRequest) -> None:
        self._worker = worker
        self._parts = parts
        self.watch: Watch = parts.store.watch()
        self._page = worker.station.page
        telemetry, settings = parts.telemetry, parts.settings
        lease = SharedLease(self._page, settings.lease, settings.heartbeat)
        self.claimer: Claimer = Claimer(
            parts.store, info, request, telemetry, self._look_after_jobs, self._show_number, lease
        )
        roster = Roster(self._page, settings.max_run_time, worker.station.most_jobs, self._leave_after_enough)
        self.attempts: NotedAttempts = NotedAttempts(worker, parts, roster)
        self.attempts.apart = Processes(worker, parts, worker.isolation)
        self.hands: Hands = self._make_hands(info.concurrency)
        self._pruning = Chore("pruning", self._prune, prune.EVERY, time.monotonic() + prune.EVERY)
        self._tidying = Chore("giving back jobs", self._tidy, NEVER, NEVER)
        self._listening = Chore("looking for jobs that are to stop", self._listen, NEVER, NEVER)
        self.outage: Outage = Outage(worker.name, telemetry)
        self._ending = Ending(worker, telemetry, self.claimer, self.hands, roster)
        self._presence = Presence(worker, telemetry, roster, settings.heartbeat.total_seconds())
        self._pulse = Pulse(self._chores(), self.outage.begin, self.outage.end)
        # Beside the other one, which waits for the store.
        self._fence = Pulse([Fence(self.claimer, self.attempts.cancels).chore], self.outage.begin)

    def __enter__(self) -> Shift:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pulse.close()
        self._fence.close()
        self._ending.announce()
        self.hands.close()
        try:
            self.claimer.retire()
        except BackburnerError as trouble:  # its jobs are rescued when the lease ends
            self.outage.begin("signing off", trouble)
        self.watch.close()

    def turn(self, limit: int) -> Tally:
        """Claim at most `limit` jobs and perform."""
        self._page.progress_at = time.monotonic()
        return self.hands.turn(limit)

    def wait(self) -> None:
        """Wait for work: until woken, until the next job is due, for `sleep_delay` at the most."""
        if self.watch.wait(self.idle_seconds()):
            self.claimer.expect_more()

    def idle_seconds(self) -> float:
        """Return how long there is nothing to look for."""
        longest = self._worker.sleep_delay.total_seconds()
        until_due = self.claimer.seconds_until_due
        return longest if until_due is None else min(longest, until_due)

    def stop(self, reason: str, grace: float | None) -> None:
        """Say that the worker stops, and interrupt what still runs shortly before `grace` seconds are over, if given.

        Safe in signal handlers.
        """
        self._ending.begin(self._pulse, reason, grace)
        self.watch.wake()

    def abort(self) -> None:
        """Interrupt what runs. Safe in signal handlers."""
        self._ending.limit(self._pulse, LAST)
        self.hands.interrupt()

    def show_jobs(self) -> None:
        """Say which jobs run, and where each is. Safe in signal handlers."""
        self._pulse.hurry(self._presence.showing_jobs, 0.0)

    def _make_hands(self, concurrency: int) -> Hands:
        must_stop = self._worker.must_stop
        if concurrency == 1:
            return InlineHands(self.attempts, self.claimer, must_stop)
        reader = self._parts.reader
        return ManyHands(concurrency, self.attempts, reader, self.claimer, must_stop, self.watch, self.idle_seconds)

    def _chores(self) -> list[Chore]:
        delay = self._worker.sleep_delay.total_seconds()
        rounds = Rounds(self.claimer, self._parts, self._worker.name, delay, self.watch.wake)
        checking_in = Chore(CHECKING_IN, partial(self._check_in, rounds), rounds.every, time.monotonic())
        return [
            checking_in,
            self._pruning,
            self._tidying,
            self._listening,
            *self._ending.chores,
            *self._presence.chores,
        ]

    def _check_in(self, rounds: Rounds) -> None:
        rounds.make()
        self.outage.end(CHECKING_IN)
        self._page.contact_at = time.monotonic()

    def _show_number(self, number: int | None) -> None:
        self._page.worker = number or 0

    def _leave_after_enough(self) -> None:
        self._worker.leave(f"it has performed {self._worker.station.most_jobs} jobs")

    def _prune(self) -> None:
        keep = self._parts.settings.keep_finished
        removed = prune.prune(self._parts.store, keep)
        self._pruning.due = time.monotonic() + prune.pause_after(removed, keep)

    def _look_after_jobs(self) -> None:
        self._pulse.hurry(self._tidying, LOOK_EVERY)
        self._pulse.hurry(self._listening, cancels.LOOK_EVERY)

    def _listen(self) -> None:
        """Hear of running jobs that were asked to stop, or are lost, as long as there are any jobs."""
        asked = self.attempts.cancels
        if not asked.is_quiet() or self.claimer.waiting:
            self._pulse.hurry(self._listening, cancels.LOOK_EVERY)
            asked.look()

    def _tidy(self) -> None:
        """Give back what waits behind a job that takes long, and settle what ended before it."""
        if not self.claimer.keeps_others_waiting:
            return
        now = time.monotonic()
        self._tidying.due = now + TRY_AGAIN_AFTER  # should it fail
        if now - self.hands.last_start > PATIENCE:
            self.claimer.give_back()
        self._tidying.due = now + LOOK_EVERY
