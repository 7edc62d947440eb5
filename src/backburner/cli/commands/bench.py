"""`backburner bench`: measure this set-up."""

from __future__ import annotations

import os
import signal
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from backburner.cli import exits, output
from backburner.cli.apps import opened_app
from backburner.cli.arguments import add_json, add_yes, whole_number
from backburner.cli.asking import is_confirmed
from backburner.cli.benching import measures, other_process
from backburner.cli.benching.ground import PREFIX, Ground
from backburner.cli.benching.measures import NotMeasured
from backburner.cli.benching.report import Report, question
from backburner.cli.command import Command
from backburner.worker.signals import handling

T = TypeVar("T")

JOBS = 10_000

ONE_BY_ONE = 10
"""Of so many jobs in bulk, one is enqueued by itself: that is slower by far."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add what only this command has."""
    parser.add_argument(
        "--jobs",
        type=whole_number(1),
        default=JOBS,
        metavar="N",
        help=f"jobs enqueued in bulk, and performed; one by one a tenth of them; default: {JOBS:,}",
    )
    parser.add_argument("--as-worker", action="store_true", help=SUPPRESS)  # for a `bench` that measures latency
    add_yes(parser)
    add_json(parser)


def run(options: Namespace) -> int:
    """Measure, after asking."""
    if options.as_worker:
        return other_process.main()
    queue = f"{PREFIX}{os.urandom(3).hex()}"
    with opened_app(options) as app:
        ground = Ground(app, queue)
        ground.refuse_if_unusable()
        written = 2 * options.jobs + _one_by_one(options) + measures.LATENCIES
        if not is_confirmed(question(app.store.url, queue, written), yes=options.yes):
            output.note("nothing was measured")
            return exits.NO
        report = Report(app.store.url, queue)
        with _interrupted_by_signals(), ground.cleared():
            _measure(report, ground, options)
    (report.say_json if options.json else report.say)()
    return exits.NO if report.not_measured else exits.DONE


def _measure(report: Report, ground: Ground, options: Namespace) -> None:
    say = _nothing if options.json else output.note

    def attempt(name: str, measure: Callable[[], T]) -> T | None:
        say(f"measuring: {name}")
        try:
            return measure()
        except NotMeasured as reason:
            say(f"not measured: {reason}")
            report.not_measured[name] = str(reason)
            return None

    jobs = options.jobs
    report.enqueue = attempt("enqueue", lambda: measures.enqueue_one_by_one(ground, _one_by_one(options)))
    report.bulk = attempt("bulk", lambda: measures.enqueue_in_bulk(ground, jobs))
    report.drain = attempt("drain", lambda: measures.drain(ground, jobs))
    report.latency = attempt("latency", lambda: measures.latency(ground, min(jobs, measures.LATENCIES), options))


def _nothing(_text: str) -> None:
    """Say nothing: JSON has it all."""


def _one_by_one(options: Namespace) -> int:
    return max(int(options.jobs) // ONE_BY_ONE, 1)


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """Let TERM and HUP interrupt as Ctrl-C does, so that they leave nothing behind either; INT too, if it was ignored.

    Raises SystemExit with the code that says which it was.
    """
    ended_by = signal.SIGINT

    def interrupt(number: int, _frame: FrameType | None) -> None:
        nonlocal ended_by
        ended_by = signal.Signals(number)
        signal.raise_signal(signal.SIGINT)  # a worker that is performing answers to that one

    others = handling((signal.SIGTERM, signal.SIGHUP), interrupt)
    with handling((signal.SIGINT,), signal.default_int_handler), others:
        try:
            yield
        except KeyboardInterrupt:
            raise SystemExit(exits.BY_SIGNAL + ended_by) from None


COMMAND = Command(
    about="""\
Measure what this machine and this database do together: enqueueing jobs one by one and in bulk, performing them in one
worker, and how soon an idle worker in another process takes one up. The jobs do nothing. They have a queue of their
own, and are deleted in the end, at Ctrl-C too. Asks first, as it keeps the database busy for a while.

Workers that serve all queues would take the jobs. While there are any, only enqueueing is measured, with jobs that are
due in a year.
Piped: what was measured, jobs, jobs per second, seconds for each, with tabs between them; of `latency` the median.""",
    examples=(
        ("backburner bench", ""),
        ("backburner bench --url sqlite:///shop.db --jobs 1000 --yes", "without asking, and shorter"),
        ("backburner bench --yes --json | jq .enqueue.per_second", ""),
    ),
    exit_codes={exits.NO: "the question was answered with no, or not everything could be measured"},
    add_arguments=add_arguments,
    run=run,
)
