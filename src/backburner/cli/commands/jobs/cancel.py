"""`backburner jobs cancel`: call jobs off."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from backburner.cli import exits
from backburner.cli.apps import opened_app
from backburner.cli.arguments import add_json
from backburner.cli.command import Command
from backburner.cli.each_job import add_ids, do_to_each
from backburner.core.job import Job
from backburner.core.lifecycle import State


def add_arguments(parser: ArgumentParser) -> None:
    """Add what only this command has."""
    add_ids(parser)
    add_json(parser)


def run(options: Namespace) -> int:
    """Cancel jobs."""
    with opened_app(options) as app:
        return do_to_each(options.ids, app.jobs.cancel, _became, as_json=options.json)


def _became(job: Job[Any]) -> str:
    return "is running and was asked to stop" if job.state is State.RUNNING else "is cancelled"


COMMAND = Command(
    about="""\
Call jobs off. A queued or blocked one is cancelled at once; a running one is asked to stop, and not tried again. Within
two seconds an async one, in a worker of several jobs at once, and one in a process of its own get JobCancelled;
another stops when it next asks for `job.is_cancelled`, or at the next of its steps.""",
    examples=(("backburner jobs cancel 019a… 019b…", ""),),
    exit_codes={exits.NO: "a job has ended already, or no job has such an id; the others are cancelled"},
    add_arguments=add_arguments,
    run=run,
)
