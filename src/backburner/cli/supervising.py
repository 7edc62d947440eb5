"""Several worker processes, and the supervisor that keeps them running."""

from __future__ import annotations

import sys
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable

from backburner.app import Backburner
from backburner.cli import serving
from backburner.cli.again import same_program
from backburner.cli.arguments import whole_number
from backburner.cli.parsing import UsageError
from backburner.cli.standing import Standing
from backburner.core.errors import ConfigurationError
from backburner.worker.page import Page
from backburner.worker.supervision.forking import Forking, end_process
from backburner.worker.supervision.launching import Launcher
from backburner.worker.supervision.limits import Limits
from backburner.worker.supervision.pools import Pool
from backburner.worker.supervision.reporting import Report
from backburner.worker.supervision.serving import serve
from backburner.worker.supervision.spawning import Inheritance, Spawning
from backburner.worker.supervision.supervisor import Supervisor
from backburner.worker.supervision.systemd import Systemd
from backburner.worker.titles import title_setter
from backburner.worker.worker import Worker

MEGABYTE = 1 << 20

FORKS_SAFELY = sys.platform != "darwin"
"""Libraries of macOS break in a process that was forked."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options that ask for processes."""
    parser.add_argument("--processes", type=whole_number(1), metavar="N", help="so many worker processes")
    parser.add_argument(
        "--pool", type=_pool, action="append", metavar="A,B:N", help="so many for these queues; may be repeated"
    )
    parser.add_argument(
        "--max-jobs", type=whole_number(1), metavar="N", help="replace a process after so many attempts"
    )
    parser.add_argument("--max-memory", type=whole_number(1), metavar="MB", help="replace a process that takes more")
    parser.add_argument(
        "--spawn", action="store_true", default=not FORKS_SAFELY, help="start each process afresh, as on macOS; no fork"
    )
    parser.add_argument("--supervised", type=_inheritance, help=SUPPRESS)  # by a supervisor that spawns


def is_wanted(options: Namespace) -> bool:
    """Say whether any of the options asks for a supervisor."""
    wishes = (options.processes, options.pool, options.max_jobs, options.max_memory)
    return any(wish is not None for wish in wishes)


def run(app: Backburner, options: Namespace, standing: Standing, ready: Callable[[], None]) -> int:
    """Supervise until stopped; call `ready` when that begins; return the exit code."""
    pattern = serving.make_worker(app, options)  # which says what is wrong, before anything is started
    systemd = Systemd()
    supervisor = Supervisor(
        app.parts,
        _pools(options),
        lambda made: _launcher(made, app, options, standing, pattern.concurrency),
        grace=options.grace,
        exit_on_complete=options.exit_on_complete,
    )
    report = Report(supervisor, pattern.sleep_delay.total_seconds())
    health = standing.health(report.problem_of_life, report.problem_of_readiness)
    if health is not None:
        supervisor.add(health)
    if systemd.every is not None:
        supervisor.look_every(systemd.every)
    if (set_title := title_setter()) is not None:
        set_title(report.title())
    supervisor.on_start, supervisor.on_stop = systemd.ready, systemd.stopping
    supervisor.on_look = lambda: systemd.alive() if report.problem_of_life() is None else None
    ready()
    return supervisor.run()


def run_child(options: Namespace) -> int:
    """Work as the process that a supervisor has spawned."""
    inherited: Inheritance = options.supervised
    with serving.opened_app_of_worker(options) as app:
        worker = _worker_at(inherited.place, app, options)
        page = Page.in_file(worker.concurrency, inherited.page)
        return serve(
            worker,
            page,
            inherited.orders,
            _limits(options),
            leave_process=end_process,
            exit_on_complete=options.exit_on_complete,
        )


def _launcher(supervisor: Supervisor, app: Backburner, options: Namespace, standing: Standing, seats: int) -> Launcher:
    if options.spawn:
        return Spawning(seats, [*same_program(options.argv), "--supervised"])

    def work(place: int, page: Page, orders: int, when_stoppable: Callable[[], None]) -> int:
        return serve(
            _worker_at(place, app, options),
            page,
            orders,
            _limits(options),
            leave_process=end_process,
            exit_on_complete=options.exit_on_complete,
            when_stoppable=when_stoppable,
        )

    def close_all() -> None:
        supervisor.close_in_child()
        standing.close_in_child()

    return Forking(seats, work, close_all)


def _worker_at(place: int, app: Backburner, options: Namespace) -> Worker:
    """Make the worker of a place, counted from 0 over all pools."""
    pools = [each for each in _pools(options) for _ in range(each.processes)]
    name = None if options.name is None else f"{options.name}.{place + 1}"
    return serving.make_worker(app, options, queues=pools[place].queues, name=name)


def _pools(options: Namespace) -> tuple[Pool, ...]:
    if not options.pool:
        return (Pool(options.processes or 1, None if options.queues is None else tuple(options.queues)),)
    if options.processes is not None or options.queues:
        raise UsageError("expected --pool, or --processes and --queues, got both")
    return tuple(options.pool)


def _limits(options: Namespace) -> Limits:
    most_memory = None if options.max_memory is None else options.max_memory * MEGABYTE
    return Limits(options.max_jobs, most_memory)


def _pool(text: str) -> Pool:
    try:
        return Pool.parse(text)
    except ConfigurationError as error:
        raise ArgumentTypeError(str(error)) from None


def _inheritance(text: str) -> Inheritance:
    return Inheritance.parse(text)
