"""Hands that perform in several threads at once."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from backburner.core.job import Job
from backburner.core.ports import Watch
from backburner.worker.attempt import Attempts
from backburner.worker.claimer import Claimer
from backburner.worker.executors.hands import Tally
from backburner.worker.outcome import Outcome
from backburner.worker.prefetch import MOST, Prefetch
from backburner.worker.timeouts import ThreadAlarm
from backburner.worker.watchdog import Watchdog

LONGEST_WAIT = 5.0
"""Seconds after which the worker looks whether a job has ended, though the job would have woken it."""

LAST_WAIT = 2.0
"""Seconds that interrupted jobs have to come to an end before the worker goes without them."""


class ThreadHands:
    """Performs as many jobs at once as there are threads."""

    def __init__(
        self,
        threads: int,
        attempts: Attempts,
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
        self._watchdog = Watchdog()
        self._alarms: list[ThreadAlarm] = []
        self._tickets: SimpleQueue[bool] = SimpleQueue()
        self._outcomes: deque[tuple[Outcome | None, float]] = deque()
        self._in_flight = 0
        self._gives_up_at = float("inf")
        self.last_start = time.monotonic()
        self._threads = [self._start(number) for number in range(threads)]

    def turn(self, limit: int) -> Tally:
        """See `Hands.turn`."""
        tally = Tally()
        self._collect(tally)
        tally.started = self._claim(limit)
        may_claim = limit > tally.started
        while not tally.ended and self._in_flight and time.monotonic() < self._gives_up_at:
            # With no hand free, the next due time does not matter: only the end of a job does, and it wakes.
            wait = self._longest_wait() if may_claim and self._has_free_hands() else LONGEST_WAIT
            self._watch.wait(min(wait, self._gives_up_at - time.monotonic()))
            self._collect(tally)
            if may_claim and self._has_free_hands():
                break
        tally.running = self._in_flight
        return tally

    def interrupt(self) -> None:
        """See `Hands.interrupt`."""
        self._gives_up_at = time.monotonic() + LAST_WAIT
        for alarm in tuple(self._alarms):
            alarm.interrupt()
        self._watch.wake()

    def close(self) -> None:
        """See `Hands.close`."""
        for _ in self._threads:
            self._tickets.put(False)
        deadline = time.monotonic() + LAST_WAIT
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._collect(Tally())
        self._watchdog.close()

    def _claim(self, limit: int) -> int:
        wanted = min(limit, self._capacity() - self._in_flight) if not self._must_stop() else 0
        if wanted <= 0 and not self._claimer.has_unsettled:
            return 0
        came = self._claimer.claim(max(wanted, 0))
        self._in_flight += came
        for _ in range(came):
            self._tickets.put(True)
        return came

    def _capacity(self) -> int:
        """Return how many jobs may be held: one for each hand, and a few more when they are short."""
        hands = len(self._threads)
        return hands + min((self._prefetch.size - 1) * hands, MOST)

    def _has_free_hands(self) -> bool:
        return self._in_flight < len(self._threads) and not self._must_stop()

    def _collect(self, tally: Tally) -> None:
        """Take in what the threads have ended."""
        seconds = 0.0
        while self._outcomes:
            outcome, took = self._outcomes.popleft()
            self._in_flight -= 1
            if outcome is not None:
                self._claimer.settle(outcome.settlement)
                tally.note(outcome)
                seconds += took
        self._prefetch.adapt(tally.ended, seconds)

    def _start(self, number: int) -> threading.Thread:
        thread = threading.Thread(target=self._work, name=f"backburner-{number}", daemon=True)
        thread.start()
        return thread

    def _work(self) -> None:
        alarm = ThreadAlarm(self._watchdog)
        self._alarms.append(alarm)
        while self._tickets.get():
            began = self.last_start = time.monotonic()
            job = self._next_job()
            outcome = self._attempts.make(job, alarm) if job is not None else None
            self._outcomes.append((outcome, time.monotonic() - began))
            self._watch.wake()

    def _next_job(self) -> Job[Any] | None:
        """Take the next job; None when it was given back meanwhile, or is to be, because the worker stops."""
        try:
            return self._claimer.waiting.popleft() if not self._must_stop() else None
        except IndexError:
            return None
