"""What a supervisor tells others of its worker processes."""

from __future__ import annotations

from collections.abc import Iterator

from backburner.worker.supervision.liveness import Liveness
from backburner.worker.supervision.supervisor import Supervisor


class Report:
    """Answers for all worker processes together. `sleep_delay` is their longest idle wait."""

    def __init__(self, supervisor: Supervisor, sleep_delay: float) -> None:
        self._supervisor = supervisor
        self._sleep_delay = sleep_delay

    def problem_of_life(self) -> str | None:
        """Say which processes do not get on; None: all that are there do."""
        stuck = [str(pid) for pid, liveness in self._processes() if not liveness.is_live]
        return f"no progress in process {', '.join(stuck)}" if stuck else None

    def problem_of_readiness(self) -> str | None:
        """Say what there is to say when no process is ready."""
        if any(liveness.is_ready for _, liveness in self._processes()):
            return None
        return "no worker process is registered and in contact with the database"

    def title(self) -> str:
        """Return what lists of processes show of the supervisor."""
        return f"backburner: supervisor of {' '.join(map(str, self._supervisor.pools))}"

    def _processes(self) -> Iterator[tuple[int, Liveness]]:
        for place in self._supervisor.places:
            if place.child is not None:
                child = place.child
                yield child.process.pid, Liveness(child.page, child.started_at, self._sleep_delay)
