"""One stretch of work of a worker: registered, with hands, a pulse and a watch; all of them end with it."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

from backburner.core.errors import BackburnerError
from backburner.core.parts import Parts
from backburner.core.ports import ClaimRequest, WorkerInfo
from backburner.core.telemetry import StoreTroubled, WorkerStopping
from backburner.worker.attempt import Attempts
from backburner.worker.claimer import Claimer
from backburner.worker.executors.hands import Hands, Tally
from backburner.worker.executors.inline import InlineHands
from backburner.worker.executors.many import ManyHands
from backburner.worker.pulse import Chore, Pulse
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
        self.watch = parts.store.watch()
        self.claimer = Claimer(parts.store, info, request, parts.telemetry, self._look_after_waiting)
        self.attempts = Attempts(worker, parts)
        self.hands = self._make_hands(info.concurrency)
        self._pruning = Chore("pruning", self._prune, prune.EVERY, time.monotonic() + prune.EVERY)
        self._tidying = Chore("giving back jobs", self._tidy, NEVER, NEVER)
        self._stop_reason: str | None = None
        self._announcing = Chore("saying that the worker stops", self._announce, NEVER, NEVER)
        self._aborting = Chore("interrupting jobs", self.hands.interrupt, NEVER, NEVER)
        self._pulse = Pulse(self._chores(), self._troubled)

    def __enter__(self) -> Shift:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pulse.close()
        self._announce()
        self.hands.close()
        try:
            self.claimer.retire()
        except BackburnerError as trouble:  # its jobs are rescued when the lease ends
            self._troubled("signing off", trouble)
        self.watch.close()

    def turn(self, limit: int) -> Tally:
        """Claim at most `limit` jobs and perform."""
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

    def stop(self, reason: str, grace: float) -> None:
        """Say that the worker stops, and interrupt what still runs after `grace` seconds. Safe in signal handlers.

        It is the pulse that says it: a subscriber that logs must not run inside a signal handler, which may have come
        in the middle of writing another line.
        """
        self._stop_reason = reason
        self._pulse.hurry(self._announcing, 0.0)
        self._pulse.hurry(self._aborting, grace)
        self.watch.wake()

    def _make_hands(self, concurrency: int) -> Hands:
        must_stop = self._worker.must_stop
        if concurrency == 1:
            return InlineHands(self.attempts, self.claimer, must_stop)
        reader = self._parts.reader
        return ManyHands(concurrency, self.attempts, reader, self.claimer, must_stop, self.watch, self.idle_seconds)

    def _chores(self) -> list[Chore]:
        delay = self._worker.sleep_delay.total_seconds()
        rounds = Rounds(self.claimer, self._parts, self._worker.name, delay, self.watch.wake)
        checking_in = Chore("checking in", rounds.make, rounds.every, time.monotonic())
        return [checking_in, self._pruning, self._tidying, self._announcing, self._aborting]

    def _prune(self) -> None:
        keep = self._parts.settings.keep_finished
        removed = prune.prune(self._parts.store, keep)
        self._pruning.due = time.monotonic() + prune.pause_after(removed, keep)

    def _look_after_waiting(self) -> None:
        self._pulse.hurry(self._tidying, LOOK_EVERY)

    def _tidy(self) -> None:
        """Give back what waits behind a job that takes long, and settle what ended before it."""
        if not self.claimer.keeps_others_waiting:
            return
        now = time.monotonic()
        self._tidying.due = now + TRY_AGAIN_AFTER  # should it fail
        if now - self.hands.last_start > PATIENCE:
            self.claimer.give_back()
        self._tidying.due = now + LOOK_EVERY

    def _announce(self) -> None:
        reason, self._stop_reason = self._stop_reason, None
        if reason is not None:
            self._parts.telemetry.emit(WorkerStopping(self._worker.name, reason))

    def _troubled(self, doing: str, error: BackburnerError) -> None:
        self._parts.telemetry.emit(StoreTroubled(self._worker.name, doing, error))
