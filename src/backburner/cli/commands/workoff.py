"""`backburner workoff`: perform the jobs that are ready, then end."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from backburner.cli import exits, output, serving
from backburner.cli.arguments import add_json, whole_number
from backburner.cli.command import Command
from backburner.worker.signals import stopping_by_signal


def add_arguments(parser: ArgumentParser) -> None:
    """Add what only this command has."""
    serving.add_arguments(parser)
    parser.add_argument("--limit", type=whole_number(1), metavar="N", help="perform at most so many jobs; default: all")
    add_json(parser)


def run(options: Namespace) -> int:
    """Perform what is ready."""
    limit = options.limit or sys.maxsize
    with serving.opened_worker(options) as worker, stopping_by_signal(worker):
        successes, failures = worker.work_off(limit)
    if options.json:
        output.say_json({"succeeded": successes, "failed": failures})
    else:
        output.say(f"{successes:,} succeeded, {failures:,} failed")
    return serving.exit_code_of(worker)


COMMAND = Command(
    about="""\
Perform the jobs that are ready, and those that become ready meanwhile, then end. What is scheduled for later stays.
Prints how many attempts succeeded and failed; a failed one is retried later, as ever. Signals work as with `work`.""",
    examples=(
        ("backburner workoff shop", ""),
        ("backburner workoff shop --queues mail --limit 100", "a part of it"),
    ),
    exit_codes={
        exits.DONE: "nothing is ready any more, whatever became of the jobs; or stopped gracefully",
        exits.BY_SIGNAL + 2: "aborted by a second signal that was INT",
        exits.BY_SIGNAL + 15: "aborted by a second signal that was TERM",
    },
    add_arguments=add_arguments,
    run=run,
)
