"""How a worker comes to its end: it says so, interrupts jobs that take too long, and goes without those that stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backburner.core.errors import BackburnerError
from backburner.core.telemetry import JobReleased, Telemetry, WorkerGaveUp, WorkerStopping
from backburner.worker.claimer import Claimer
from backburner.worker.executors.hands import Hands
from backburner.worker.pulse import Chore, Pulse
from backburner.worker.roster import Roster
from backburner.worker.station import LAST, SIGN_OFF, jobs_share_of

if TYPE_CHECKING:
    from backburner.worker.worker import Worker

NEVER = float("inf")

FORCED = 1
"""The exit code of a process that ends though it could not sign off."""


class Ending:
    """Chores of the pulse, due when the worker is stopped.

    It is the pulse that does them: a subscriber that logs must not run inside a signal handler, which may have come in
    the middle of writing another line; and the worker's own thread may be the one that a job keeps.
    """

    def __init__(self, worker: Worker, telemetry: Telemetry, claimer: Claimer, hands: Hands, roster: Roster) -> None:
        self._worker = worker
        self._telemetry = telemetry
        self._claimer = claimer
        self._roster = roster
        self._reason: str | None = None
        self._announcing = Chore("saying that the worker stops", self.announce, NEVER, NEVER)
        self._interrupting = Chore("interrupting jobs", hands.interrupt, NEVER, NEVER)
        self._giving_up = Chore("signing off", self._give_up, NEVER, NEVER)
        self.chores: tuple[Chore, Chore, Chore] = (self._announcing, self._interrupting, self._giving_up)

    def begin(self, pulse: Pulse, reason: str, grace: float | None) -> None:
        """Say that the worker stops, and let it end within `grace` seconds; None: whenever its jobs have ended.

        Safe in signal handlers.
        """
        self._reason = reason
        pulse.hurry(self._announcing, 0.0)
        if grace is not None:
            share = jobs_share_of(grace)
            pulse.hurry(self._interrupting, share)
            self.limit(pulse, share + LAST)

    def limit(self, pulse: Pulse, seconds: float) -> None:
        """Let the process end within so many seconds, if it is there for the worker alone. Safe in signal handlers."""
        station = self._worker.station
        if station.leave_process is not None:
            pulse.hurry(self._giving_up, seconds - SIGN_OFF)
            station.end_within(seconds)

    def announce(self) -> None:
        """Say that the worker stops, if it does and that has not been said."""
        reason, self._reason = self._reason, None
        if reason is not None:
            self._telemetry.emit(WorkerStopping(self._worker.name, reason))

    def _give_up(self) -> None:
        """Give back what runs and does not end, and end the process, so that it really does not run any more."""
        leave_process = self._worker.station.leave_process
        if leave_process is None:
            return
        jobs = tuple(running.job for running in self._roster.running())
        code = self._worker.exit_code
        try:
            self._claimer.retire()
            for job in jobs:
                self._telemetry.emit(JobReleased(self._worker.name, job))
        except BackburnerError:  # they are rescued when the lease ends
            code = FORCED
        self._telemetry.emit(WorkerGaveUp(self._worker.name, jobs))
        leave_process(code)
