"""What happens inside a worker process of a supervisor."""

from __future__ import annotations

from collections.abc import Callable

from backburner.worker.page import Page
from backburner.worker.signals import showing_jobs_on_request, stopping_by_signal
from backburner.worker.station import Station
from backburner.worker.supervision.limits import Limits
from backburner.worker.supervision.orders import obey
from backburner.worker.titles import title_setter
from backburner.worker.worker import Worker


def serve(
    worker: Worker,
    page: Page,
    orders: int,
    limits: Limits,
    *,
    leave_process: Callable[[int], object],
    exit_on_complete: bool = False,
    when_stoppable: Callable[[], None] = lambda: None,
) -> int:
    """Let a worker work, for a supervisor, until it is told to stop; return the exit code of the process.

    `orders` is the pipe from the supervisor; `leave_process` ends the process at once; `when_stoppable` is called as
    soon as signals are handled.
    """
    worker.station = Station(
        page=page,
        is_supervised=True,
        leave_process=leave_process,
        most_jobs=limits.most_jobs,
        most_memory=limits.most_memory,
        set_title=title_setter(),
    )
    with stopping_by_signal(worker, aborts=False), showing_jobs_on_request(worker):
        when_stoppable()
        obey(worker, orders)
        worker.run(exit_on_complete=exit_on_complete)
    return worker.exit_code
