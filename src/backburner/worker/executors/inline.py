"""Hands that perform in the thread of the worker itself: the cheapest, with real timeouts in the main thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

from backburner.worker.attempt import Attempts
from backburner.worker.claimer import Claimer
from backburner.worker.executors.hands import Tally
from backburner.worker.prefetch import Prefetch
from backburner.worker.timeouts import Alarm, SignalAlarm, ThreadAlarm
from backburner.worker.watchdog import Watchdog

AHEAD_FROM = 8
"""Jobs in the next claim from which on it is begun while the last ones are performed.

Claims of fewer are for jobs of more than 12 ms: beside them a claim takes little time, and what is held ahead keeps
other workers waiting the longer.
"""


class InlineHands:
    """Performs one job after the other."""

    def __init__(
        self,
        attempts: Attempts,
        claimer: Claimer,
        must_stop: Callable[[], bool],
    ) -> None:
        self._attempts = attempts
        self._claimer = claimer
        self._must_stop = must_stop
        self._prefetch = Prefetch()
        self._resources = ExitStack()
        self.alarm: Alarm = self._make_alarm()
        self.last_start: float = time.monotonic()
        self.is_busy = False

    def turn(self, limit: int) -> Tally:
        """See `Hands.turn`."""
        tally = Tally()
        claimer = self._claimer
        wanted = 0 if self._must_stop() or claimer.waiting else min(limit, self._prefetch.size)
        if not claimer.lease.may_start:
            claimer.renew()
        if wanted and (claimer.is_promising or claimer.has_unsettled):
            tally.started = claimer.claim(wanted)
            if claimer.can_begin:
                self._begin_next(limit - tally.started)
        self._perform_waiting(tally)
        return tally

    def interrupt(self) -> None:
        """See `Hands.interrupt`."""
        self._attempts.interrupt_apart()
        self.alarm.interrupt()

    def close(self) -> None:
        """See `Hands.close`."""
        self._resources.close()

    def _begin_next(self, limit: int) -> None:
        """Let the store claim the next jobs while those that came are performed, where there are likely to be more."""
        claimer = self._claimer
        if any(job.crashes for job in tuple(claimer.waiting)):
            claimer.flush()  # a job that crashed a worker runs alone: nothing else is held, nothing waits to be settled
        elif claimer.found_enough and min(limit, self._prefetch.size) >= AHEAD_FROM:
            claimer.begin(min(limit, self._prefetch.size))

    def _perform_waiting(self, tally: Tally) -> None:
        began = time.monotonic()
        waiting, attempts, claimer, alarm = self._claimer.waiting, self._attempts, self._claimer, self.alarm
        lease = claimer.lease
        while waiting and not self._must_stop():
            now = time.monotonic()
            if now > lease.starts_until:
                break
            try:
                job = waiting.popleft()
            except IndexError:  # given back meanwhile
                break
            self.last_start = now
            outcome = attempts.make(job, alarm)
            claimer.settle(outcome.settlement)
            tally.note(outcome)
        self._prefetch.adapt(tally.ended, time.monotonic() - began)

    def _make_alarm(self) -> Alarm:
        if SignalAlarm.is_possible():
            return self._resources.enter_context(SignalAlarm())
        return ThreadAlarm(self._resources.enter_context(Watchdog()))
