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
        self.alarm = self._make_alarm()
        self.last_start = time.monotonic()

    def turn(self, limit: int) -> Tally:
        """See `Hands.turn`."""
        tally = Tally()
        wanted = 0 if self._must_stop() else min(limit, self._prefetch.size)
        if wanted or self._claimer.has_unsettled:
            tally.started = self._claimer.claim(wanted)
        self._perform_waiting(tally)
        return tally

    def interrupt(self) -> None:
        """See `Hands.interrupt`."""
        self.alarm.interrupt()

    def close(self) -> None:
        """See `Hands.close`."""
        self._resources.close()

    def _perform_waiting(self, tally: Tally) -> None:
        began = time.monotonic()
        waiting, attempts, claimer, alarm = self._claimer.waiting, self._attempts, self._claimer, self.alarm
        while waiting and not self._must_stop():
            try:
                job = waiting.popleft()
            except IndexError:  # given back meanwhile
                break
            self.last_start = time.monotonic()
            outcome = attempts.make(job, alarm)
            claimer.settle(outcome.settlement)
            tally.note(outcome)
        self._prefetch.adapt(tally.ended, time.monotonic() - began)

    def _make_alarm(self) -> Alarm:
        if SignalAlarm.is_possible():
            return self._resources.enter_context(SignalAlarm())
        return ThreadAlarm(self._resources.enter_context(Watchdog()))
