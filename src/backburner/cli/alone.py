"""One worker, in this process."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from backburner.app import Backburner
from backburner.cli import serving
from backburner.cli.standing import Standing
from backburner.core.telemetry import Record, WorkerStopping
from backburner.worker.page import Page
from backburner.worker.signals import showing_jobs_on_request
from backburner.worker.station import Station
from backburner.worker.supervision.health import serve_in_thread
from backburner.worker.supervision.liveness import Liveness
from backburner.worker.supervision.systemd import Systemd
from backburner.worker.titles import title_setter


def run(app: Backburner, options: Namespace, standing: Standing, ready: Callable[[], None]) -> int:
    """Work until stopped; call `ready` when that begins; return the exit code."""
    worker = serving.make_worker(app, options)
    page = Page(worker.concurrency)
    liveness = Liveness(page, monotonic(), worker.sleep_delay.total_seconds())
    systemd = Systemd()
    worker.station = Station(
        page=page,
        leave_process=standing.leave_process,
        set_title=title_setter(),
        on_pulse=_Watchdog(systemd, liveness).feed if systemd.every is not None else None,
    )
    health = standing.health(
        lambda: None if liveness.is_live else "no progress",
        lambda: None if liveness.is_ready else "not registered, or not in contact with the database",
    )
    if health is not None:
        serve_in_thread(health)
    with showing_jobs_on_request(worker), _telling(app, systemd):
        ready()
        systemd.ready()
        worker.run(exit_on_complete=options.exit_on_complete)
    return worker.exit_code


class _Watchdog:
    """Tells systemd that work goes on, as long as it does."""

    def __init__(self, systemd: Systemd, liveness: Liveness) -> None:
        self._systemd = systemd
        self._liveness = liveness
        self._due = 0.0

    def feed(self) -> None:
        """Say so, if that is due."""
        now = monotonic()
        if now >= self._due and self._liveness.is_live:
            self._systemd.alive()
            self._due = now + (self._systemd.every or 0.0)


@contextmanager
def _telling(app: Backburner, systemd: Systemd) -> Iterator[None]:
    """Tell systemd when the worker stops."""

    def hear(record: Record) -> None:
        if isinstance(record, WorkerStopping):
            systemd.stopping()

    unsubscribe = app.telemetry.subscribe(hear, lambda kind: kind is WorkerStopping)
    try:
        yield
    finally:
        unsubscribe()
