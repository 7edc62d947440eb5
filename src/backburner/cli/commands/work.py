"""`backburner work`: perform jobs until stopped."""

from __future__ import annotations

import faulthandler
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager

from backburner.cli import exits, serving
from backburner.cli.arguments import seconds
from backburner.cli.command import Command


def add_arguments(parser: ArgumentParser) -> None:
    """Add what only this command has."""
    serving.add_arguments(parser)
    parser.add_argument(
        "--sleep-delay", type=seconds, metavar="SECONDS", help="longest idle wait between two looks; default: the app's"
    )
    parser.add_argument("--exit-on-complete", action="store_true", help="end when no job is ready")


def run(options: Namespace) -> int:
    """Perform jobs until stopped."""
    with serving.opened_worker(options) as worker, _stacks_on_request():
        worker.run(exit_on_complete=options.exit_on_complete)
    return serving.exit_code_of(worker)


@contextmanager
def _stacks_on_request() -> Iterator[None]:
    """Write the stack of every thread to stderr at the signal USR1, also of a thread that hangs in C code."""
    if sys.__stderr__ is None:  # closed
        yield
        return
    faulthandler.register(signal.SIGUSR1, sys.__stderr__)
    try:
        yield
    finally:
        faulthandler.unregister(signal.SIGUSR1)


COMMAND = Command(
    about="""\
Perform jobs until stopped, in the foreground, with a log on stderr.

Jobs may name what is marked @job, Delayable, JobHooks or Mailer, and all that is in the PACKAGEs and in the package of
--app. TERM or INT: take no more jobs and finish the running ones within --grace, then interrupt them and give them
back, without spending an attempt. A second signal does that at once. USR1: write
the stacks of all threads to stderr.""",
    examples=(
        ("backburner work shop", "all queues, one job at a time"),
        ("backburner work shop --queues mail,default --concurrency 5", ""),
        ("backburner work --app shop.web:app --exclude reports", "with the app's own settings"),
        ("backburner work shop --exit-on-complete --quiet", "in a cron job"),
    ),
    exit_codes={
        exits.DONE: "stopped gracefully, or nothing left to do with --exit-on-complete",
        exits.BY_SIGNAL + 2: "aborted by a second signal that was INT",
        exits.BY_SIGNAL + 15: "aborted by a second signal that was TERM",
    },
    add_arguments=add_arguments,
    run=run,
)
