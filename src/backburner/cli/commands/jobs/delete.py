"""`backburner jobs delete`: delete jobs."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from backburner.cli import exits, output
from backburner.cli.apps import opened_app
from backburner.cli.arguments import add_json, add_yes
from backburner.cli.asking import is_confirmed
from backburner.cli.command import Command
from backburner.cli.each_job import add_ids, do_to_each
from backburner.cli.phrases import count


def add_arguments(parser: ArgumentParser) -> None:
    """Add what only this command has."""
    add_ids(parser)
    add_yes(parser)
    add_json(parser)


def run(options: Namespace) -> int:
    """Delete jobs, after asking."""
    with opened_app(options) as app:
        question = f"Delete {count(len(options.ids), 'job')} from {app.store.url}?"
        if not is_confirmed(question, yes=options.yes):
            output.note("nothing was deleted")
            return exits.NO
        return do_to_each(options.ids, app.jobs.delete, lambda _: "is deleted", as_json=options.json)


COMMAND = Command(
    about="""\
Delete jobs and what is known of them. Asks first. A running one cannot be deleted: cancel it. For many at once there is
`backburner clear`.""",
    examples=(
        ("backburner jobs delete 019a…", ""),
        ("backburner jobs delete 019a… --yes", "without asking"),
    ),
    exit_codes={exits.NO: "a job is running, or no job has such an id (the others are deleted); or the answer was no"},
    add_arguments=add_arguments,
    run=run,
)
