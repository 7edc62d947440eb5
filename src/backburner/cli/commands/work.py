"""`backburner work`: perform jobs until stopped."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from backburner.cli import alone, exits, serving, standing, supervising
from backburner.cli.arguments import seconds
from backburner.cli.command import Command
from backburner.cli.daemons.reports import reporting
from backburner.cli.standing import Standing


def add_arguments(parser: ArgumentParser) -> None:
    """Add what only this command, and those that start it, have."""
    serving.add_arguments(parser)
    parser.add_argument(
        "--sleep-delay", type=seconds, metavar="SECONDS", help="longest idle wait between two looks; default: the app's"
    )
    parser.add_argument("--exit-on-complete", action="store_true", help="end when no job is ready")
    supervising.add_arguments(parser)
    standing.add_arguments(parser)


def run(options: Namespace) -> int:
    """Perform jobs until stopped."""
    if options.supervised is not None:
        return supervising.run_child(options)
    standing.log_to(options.log_file)
    run_all = supervising.run if supervising.is_wanted(options) else alone.run
    with reporting(options.report) as reporter, serving.opened_app_of_worker(options) as app, Standing(options) as own:
        return run_all(app, options, own, reporter.ready)


COMMAND = Command(
    about="""\
Perform jobs until stopped, in the foreground, with a log on stderr.

Jobs may name what is marked @job, Delayable, JobHooks or Mailer, and all that is in the PACKAGEs and in the package of
--app. With --processes, --pool, --max-jobs or --max-memory a supervisor keeps worker processes running, and gives back
the jobs of one that dies.

TERM, INT or HUP: take no more jobs and finish the running ones, in time to end within --grace; those that do not end
are interrupted and given back, without spending an attempt. A second signal does that at once. USR1: write the stacks
of all threads to stderr, and log which jobs run.""",
    examples=(
        ("backburner work shop", "all queues, one job at a time"),
        ("backburner work shop --queues mail,default --concurrency 5", ""),
        ("backburner work shop --processes 4 --max-memory 500", "four processes, fresh ones when they grow"),
        ('backburner work shop --pool mail:2 --pool "*:1"', "two processes for mail, one for all queues"),
        ("backburner work --app shop.web:app --exclude reports", "with the app's own settings"),
        ("backburner work shop --exit-on-complete --quiet", "in a cron job"),
    ),
    exit_codes={
        exits.DONE: "stopped gracefully, or nothing left to do with --exit-on-complete",
        exits.NO: "a job kept all of Python from running, so that the process had to be cut off",
        exits.BY_SIGNAL + 2: "aborted by a second signal that was INT",
        exits.BY_SIGNAL + 15: "aborted by a second signal that was TERM",
    },
    add_arguments=add_arguments,
    run=run,
)
