"""The supervisor: starts worker processes, keeps so many of them running, and gives back the jobs of those that die."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from socket import gethostname
from time import monotonic
from typing import Final

from backburner.core.errors import ConfigurationError
from backburner.core.parts import Parts
from backburner.core.telemetry import (
    ProcessCrashed,
    ProcessEnded,
    ProcessKilled,
    ProcessMissing,
    ProcessStarted,
    Record,
    SupervisorStarted,
    SupervisorStopped,
    SupervisorStopping,
)
from backburner.worker.page import LEAVING, Page
from backburner.worker.station import LAST
from backburner.worker.supervision.clerk import Clerk
from backburner.worker.supervision.launching import Child, Launcher
from backburner.worker.supervision.places import NEVER, Place, places_for
from backburner.worker.supervision.pools import Pool
from backburner.worker.supervision.wakeups import Readable, Wakeups
from backburner.worker.supervision.watching import Watchman
from backburner.worker.worker import BY_SIGNAL

PATIENCE = 5.0
"""Seconds beyond the grace after which a worker process that does not end is killed."""

LAST_WORDS = 5.0
"""Seconds for telling the store of the dead, when everything else has ended."""

STOPPING: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})


class Supervisor:
    """Keeps a worker process running at each place of its pools, in the main thread.

    `grace` is how long the workers' jobs may go on after it was told to stop. With `exit_on_complete` it ends when its
    workers have found nothing ready. `on_start` and `on_stop` are called when all were started and when it is told to
    stop, `on_look` every few seconds.
    Raises ConfigurationError when its store cannot be shared by processes, or it is not in the main thread.
    """

    def __init__(
        self,
        parts: Parts,
        pools: Sequence[Pool],
        make_launcher: Callable[[Supervisor], Launcher],
        *,
        grace: float = 25.0,
        exit_on_complete: bool = False,
    ) -> None:
        if not parts.store.capabilities.many_processes:
            raise ConfigurationError(f"expected a store that several processes can share, got {parts.store.url}")
        if not pools:
            raise ConfigurationError("expected one pool at least, got none")
        self.name: str = f"{gethostname()}:{os.getpid()}"
        self.pools: tuple[Pool, ...] = tuple(pools)
        self.places: list[Place] = places_for(self.pools)
        self.on_start: Callable[[], object] = _nothing
        self.on_stop: Callable[[], object] = _nothing
        self.on_look: Callable[[], object] = _nothing
        self._telemetry = parts.telemetry
        self._grace = grace
        self._exits_on_complete = exit_on_complete
        self._wakeups = Wakeups()
        self._clerk = Clerk(parts.store, parts.telemetry, self.name, self._wakeups.wake)
        self._watchman = Watchman(parts.settings.heartbeat, parts.settings.lease)
        self._launcher = make_launcher(self)
        self._look_at = 0.0
        self._ends_at = NEVER
        self._is_stopping = self._has_killed_all = self._has_given_up = False
        self._aborted_by: int | None = None

    def look_every(self, seconds: float) -> None:
        """Look after the processes, and call `on_look`, at least as often as that."""
        self._watchman.every = min(self._watchman.every, seconds)

    def add(self, readable: Readable) -> None:
        """Let this work as well when there is something to read."""
        self._wakeups.add(readable)

    def run(self) -> int:
        """Work until told to stop, by TERM, INT or HUP; return the exit code: 0, or 128 + the second signal."""
        with self._wakeups:
            pools = tuple(map(str, self.pools))
            self._emit(SupervisorStarted(self.name, len(self.places), pools))
            self._fill_places()
            self.on_start()
            while not (self._has_given_up or all(place.is_empty for place in self.places)):
                self._wakeups.wait(self._next_due() - monotonic())
                self._take_signals()
                self._see_who_ended()
                self._look_after_all()
            self._say_last_words()
        self._emit(SupervisorStopped(self.name))
        return 0 if self._aborted_by is None else BY_SIGNAL + self._aborted_by

    def close_in_child(self) -> None:
        """Close what a forked worker process has inherited and must not keep."""
        self._wakeups.close()
        for place in self.places:
            if place.child is not None:
                place.child.orders.close()

    def _next_due(self) -> float:
        fill_at = min(place.fill_at for place in self.places)
        fill_at = NEVER if self._clerk.is_in_the_way else fill_at  # it wakes when it is done
        return min(fill_at, self._look_at, self._ends_at, self._clerk.due)

    def _take_signals(self) -> None:
        for number in self._wakeups.signals():
            if number == signal.SIGUSR1:
                for place in self.places:
                    place.signal(signal.SIGUSR1)
            elif number in STOPPING:
                self._stop(number)

    def _stop(self, number: int) -> None:
        if self._is_stopping:
            self._abort(number)
            return
        self._is_stopping = True
        self._ends_at = monotonic() + self._grace + PATIENCE
        self._emit(SupervisorStopping(self.name, signal.Signals(number).name))
        for place in self.places:
            place.fill_at = NEVER
            if place.child is not None:
                place.child.orders.stop()
        self.on_stop()

    def _abort(self, number: int) -> None:
        self._aborted_by = number
        self._ends_at = min(self._ends_at, monotonic() + LAST + PATIENCE)
        for place in self.places:
            if place.child is not None:
                place.child.orders.abort(number)

    def _see_who_ended(self) -> None:
        for place in self.places:
            code = None if place.child is None else place.child.process.poll()
            child = None if code is None else place.clear()
            if code is not None and child is not None:
                self._note_end(place, child, code)

    def _note_end(self, place: Place, child: Child, code: int) -> None:
        """Bury a worker that did not sign off, and say when its place is to be filled again."""
        worker, pid = int(child.page.worker), child.process.pid
        if worker:
            self._clerk.bury(worker)
        now = monotonic()
        if code == 0:
            is_complete = self._exits_on_complete and child.page.is_leaving != LEAVING
            place.fill_at = NEVER if is_complete else now
            place.backoff.reset()
            record: Record = ProcessEnded(self.name, pid, str(place.pool))
        else:
            again_in = place.backoff.after_crash(now - child.started_at)
            place.fill_at = now + again_in
            how = _described(code)
            record = ProcessCrashed(self.name, pid, str(place.pool), how, None if self._is_stopping else again_in)
        if self._is_stopping:
            place.fill_at = NEVER
        self._emit(record)

    def _look_after_all(self) -> None:
        now = monotonic()
        if now >= self._ends_at:
            self._kill_all()
        self._fill_places()
        silent = self._look(now) if now >= self._look_at else []
        if silent or now >= self._clerk.due:
            self._clerk.work(silent)

    def _fill_places(self) -> None:
        for place in self.places:
            if place.fill_at <= monotonic() and not self._clerk.is_in_the_way:
                self._fill(place)

    def _fill(self, place: Place) -> None:
        try:
            child = self._launcher.launch(place.number)
        except OSError as error:
            again_in = place.backoff.after_crash(0.0)
            place.fill_at = monotonic() + again_in
            self._emit(ProcessMissing(self.name, str(place.pool), error, again_in))
        else:
            place.settle(child)
            self._emit(ProcessStarted(self.name, child.process.pid, str(place.pool)))

    def _look(self, now: float) -> list[Page]:
        was_killed = {place.number for place in self.places if place.killed_because is not None}
        silent = self._watchman.look(self.places, now)
        for place in self.places:
            if place.killed_because is not None and place.number not in was_killed:
                self._say_killed(place)
        self.on_look()
        self._look_at = now + self._watchman.every
        return silent

    def _kill_all(self) -> None:
        """Kill what is left. Should that not help, as a process waits for a broken disk, say, go without it."""
        self._has_given_up = self._has_killed_all
        self._has_killed_all = True
        self._ends_at = monotonic() + PATIENCE
        for place in self.places:
            if place.child is not None:
                place.kill("it did not end in time")
                self._say_killed(place)

    def _say_killed(self, place: Place) -> None:
        if place.child is not None:
            pid, reason = place.child.process.pid, place.killed_because or ""
            self._emit(ProcessKilled(self.name, pid, str(place.pool), reason))

    def _say_last_words(self) -> None:
        """Tell the store of the dead, once more if need be; who is not told finds out when the lease ends."""
        until = monotonic() + LAST_WORDS
        while not self._clerk.has_said_all and monotonic() < until:
            if monotonic() >= self._clerk.due:
                self._clerk.work()
            self._wakeups.wait(min(until, self._clerk.due) - monotonic())

    def _emit(self, record: Record) -> None:
        self._telemetry.emit(record)


def _described(code: int) -> str:
    if code > 0:
        return f"exit code {code}"
    try:
        return f"signal {-code}, {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def _nothing() -> None:
    """Do nothing."""
