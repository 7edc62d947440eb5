"""`backburner jobs retry`: make jobs due now, with all their attempts."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from backburner.cli import exits, output
from backburner.cli.apps import opened_app
from backburner.cli.arguments import add_json, queue
from backburner.cli.command import Command
from backburner.cli.each_job import add_ids, do_to_each
from backburner.cli.parsing import UsageError
from backburner.cli.phrases import count
from backburner.core.ports import JobFilter


def add_arguments(parser: ArgumentParser) -> None:
    """Add what only this command has."""
    add_ids(parser, optional=True)
    parser.add_argument("--all", action="store_true", help="every failed job")
    parser.add_argument("--queue", type=queue, help="every failed job of this queue")
    add_json(parser)


def run(options: Namespace) -> int:
    """Retry jobs."""
    every = options.all or options.queue is not None
    if every == bool(options.ids):
        raise UsageError("expected the ids of jobs, or --all or --queue QUEUE for the failed ones")
    with opened_app(options) as app:
        if not every:
            return do_to_each(options.ids, app.jobs.retry, lambda _: "is queued again", as_json=options.json)
        retried = app.store.run(app.store.requeue_all(JobFilter(queue=options.queue)))
    if options.json:
        output.say_json({"retried": retried})
    else:
        output.say(f"{count(retried, 'failed job')} queued again")
    return exits.DONE


COMMAND = Command(
    about="""\
Make jobs due now, with all their attempts before them: failed, cancelled and waiting ones. Say ids, or --all or --queue
for the failed ones.""",
    examples=(
        ("backburner jobs retry 019a…", ""),
        ("backburner jobs retry --all", "every failed job, after a repair"),
        ("backburner jobs retry --queue mail", "those of one queue"),
    ),
    exit_codes={exits.NO: "a job has another state, or no job has such an id; the others are queued again"},
    add_arguments=add_arguments,
    run=run,
)
