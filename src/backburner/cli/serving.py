"""What the commands that perform jobs share: their options, and the worker that these make."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from backburner.app import Backburner
from backburner.cli import exits, worker_log
from backburner.cli.apps import import_named_code, opened_app
from backburner.cli.arguments import priority, queues, seconds, whole_number
from backburner.cli.parsing import UsageError
from backburner.worker.worker import Worker


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options that say which jobs are performed, and how."""
    add_packages(parser)
    parser.add_argument(
        "--queues",
        "--queue",
        type=queues,
        action="extend",
        metavar="A,B",
        help="serve only these; default: the app's",
    )
    parser.add_argument(
        "--exclude", type=queues, action="extend", default=[], metavar="C", help="serve all queues but these"
    )
    parser.add_argument(
        "--concurrency", type=whole_number(1), default=1, metavar="N", help="jobs at once, in threads; default: 1"
    )
    parser.add_argument(
        "--isolation",
        choices=("process", "none"),
        help="process: a process of its own for each job that does not say otherwise; default: none",
    )
    parser.add_argument("--min-priority", type=priority, metavar="N", help="nothing below; default: the app's")
    parser.add_argument("--max-priority", type=priority, metavar="N", help="nothing above; default: the app's")
    parser.add_argument(
        "--grace", type=seconds, default=25, metavar="SECONDS", help="for running jobs, once stopped; default: 25"
    )
    parser.add_argument(
        "--name", help="the worker's name, different from all others; default: host, process and chance"
    )
    worker_log.add_arguments(parser)


def add_packages(parser: ArgumentParser) -> None:
    """Add the packages whose code jobs may name."""
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help="import it, and allow jobs to name its code")


@contextmanager
def opened_worker(options: Namespace) -> Iterator[Worker]:
    """Make the worker that the options describe; log to stderr."""
    with opened_app_of_worker(options) as app:
        yield make_worker(app, options)


@contextmanager
def opened_app_of_worker(options: Namespace) -> Iterator[Backburner]:
    """Make the app that is to be served; log to stderr."""
    _check_priorities(options.min_priority, options.max_priority)
    named = import_named_code(options)
    worker_log.configure(options)
    with opened_app(options, named) as app:
        # Writes nothing, but raises where nothing can be written; a worker that runs would wait for that to change.
        app.store.run(app.store.retire(0))
        yield app


def make_worker(
    app: Backburner, options: Namespace, *, queues: Sequence[str] | None = None, name: str | None = None
) -> Worker:
    """Make the worker that the options describe, for these queues and of this name if they are given."""
    return app.worker(
        queues=queues or options.queues,
        exclude=options.exclude,
        concurrency=options.concurrency,
        min_priority=options.min_priority,
        max_priority=options.max_priority,
        grace=options.grace,
        name=name or options.name,
        sleep_delay=getattr(options, "sleep_delay", None),
        isolation=options.isolation,
    )


def exit_code_of(worker: Worker) -> int:
    """Return 0 when the worker ended by itself or gracefully, else the signal that aborted it, plus 128."""
    return exits.DONE if worker.aborted_by is None else exits.BY_SIGNAL + worker.aborted_by


def _check_priorities(low: int | None, high: int | None) -> None:
    if low is not None and high is not None and low > high:
        raise UsageError(f"expected --min-priority to be at most --max-priority, {high}, got {low}")
