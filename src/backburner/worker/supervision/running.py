"""Running a supervisor from Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from backburner.core.parts import Parts
from backburner.worker.page import Page
from backburner.worker.supervision.forking import Forking, end_process
from backburner.worker.supervision.limits import Limits
from backburner.worker.supervision.pools import Pool
from backburner.worker.supervision.serving import serve
from backburner.worker.supervision.supervisor import Supervisor
from backburner.worker.worker import Worker


class App(Protocol):
    """An app, as far as a supervisor needs it."""

    parts: Parts

    def worker(self, *args: Any, **options: Any) -> Worker:
        """Make a worker."""


def supervise(
    app: App,
    pools: Sequence[Pool],
    *,
    max_jobs: int | None = None,
    max_memory: int | None = None,
    exit_on_complete: bool = False,
    **worker: Any,
) -> int:
    """Fork worker processes for these pools and keep them running, until TERM, INT or HUP comes; return an exit code.

    `max_jobs` and `max_memory`, in bytes: after how many attempts, and above what size, a process is replaced, when
    what runs has ended. `worker` are options of `app.worker`. It must be called in the main thread, and other threads
    must not hold what a worker may need. What is imported before is imported once for all processes.
    """
    limits = Limits(max_jobs, max_memory)
    pattern = app.worker(**worker)  # which raises what is wrong, before anything is started

    def work(place: int, page: Page, orders: int, when_stoppable: Callable[[], None]) -> int:
        own = {"queues": supervisor.places[place].pool.queues} if supervisor.places[place].pool.queues else {}
        return serve(
            app.worker(**{**worker, **own}),
            page,
            orders,
            limits,
            leave_process=end_process,
            exit_on_complete=exit_on_complete,
            when_stoppable=when_stoppable,
        )

    supervisor = Supervisor(
        app.parts,
        pools,
        lambda made: Forking(pattern.concurrency, work, made.close_in_child),
        grace=pattern.grace.total_seconds(),
        exit_on_complete=exit_on_complete,
    )
    return supervisor.run()
