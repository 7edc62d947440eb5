"""What others see of a worker while it works: its pulse, the title of its process, where its jobs are."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from backburner.core.telemetry import JobSeen, Telemetry
from backburner.worker.memory import resident_bytes
from backburner.worker.pulse import Chore
from backburner.worker.roster import Roster
from backburner.worker.stacks import stack_of
from backburner.worker.station import PULSE
from backburner.worker.titles import worker_title

if TYPE_CHECKING:
    from backburner.worker.worker import Worker

NEVER = float("inf")


class Presence:
    """Chores of the pulse that show the worker, as far as anybody looks."""

    def __init__(self, worker: Worker, telemetry: Telemetry, roster: Roster, heartbeat: float) -> None:
        self._worker = worker
        self._station = worker.station
        self._telemetry = telemetry
        self._roster = roster
        # A supervisor beats for a worker without a pulse, and must not do that for all of them.
        every = min(PULSE, heartbeat / 4)
        due = 0.0 if self._station.needs_pulse else NEVER
        self._beating = Chore("showing that the worker lives", self._beat, every, due)
        self.showing_jobs: Chore = Chore("showing the jobs", self._show_jobs, NEVER, NEVER)
        self.chores: tuple[Chore, Chore] = (self._beating, self.showing_jobs)

    def _beat(self) -> None:
        station = self._station
        station.page.pulse_at = monotonic()
        self._look_at_memory()
        if station.set_title is not None:
            is_stopping = self._worker.must_stop()
            station.set_title(worker_title(self._worker.queues, self._roster.running(), is_stopping=is_stopping))
        if station.on_pulse is not None:
            station.on_pulse()

    def _look_at_memory(self) -> None:
        """Let the worker leave when it takes too much, once it has done something: a fresh one may take as much."""
        most, page = self._station.most_memory, self._station.page
        if most is None or not page.performed or self._worker.must_stop():
            return
        taken = resident_bytes()
        if taken > most:
            self._worker.leave(f"it takes {taken >> 20} MB of memory, which is more than {most >> 20} MB")

    def _show_jobs(self) -> None:
        for running in self._roster.running():
            stack = stack_of(running.performer)
            self._telemetry.emit(JobSeen(self._worker.name, running.job, running.seconds, stack))
