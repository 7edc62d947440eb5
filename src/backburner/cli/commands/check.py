"""`backburner check`: say whether a due job waits too long."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from datetime import datetime, timedelta
from typing import Any

from backburner.cli import exits, output
from backburner.cli.apps import opened_app
from backburner.cli.arguments import add_json, queue, seconds
from backburner.cli.command import Command
from backburner.cli.json_forms import job_form
from backburner.cli.phrases import count, duration
from backburner.core.job import Job
from backburner.core.ports import JobFilter
from backburner.core.text import printable

MAX_AGE = 300


def add_arguments(parser: ArgumentParser) -> None:
    """Add what only this command has."""
    parser.add_argument(
        "--max-age",
        type=seconds,
        default=MAX_AGE,
        metavar="SECONDS",
        help=f"how long jobs may wait; default: {MAX_AGE}",
    )
    parser.add_argument("--queue", type=queue, help="look at this queue only")
    add_json(parser)


def run(options: Namespace) -> int:
    """Look for jobs that are due for too long."""
    with opened_app(options) as app:
        now = app.store.now()
        before = now - timedelta(seconds=options.max_age)
        oldest = app.store.run(app.store.oldest_due(JobFilter(queue=options.queue)))
        overdue = 0
        if oldest is not None and oldest.run_at < before:
            overdue = app.store.run(app.store.count(JobFilter(queue=options.queue, due_before=before)))
    if options.json:
        output.say_json(_form(options, oldest, overdue, now))
    else:
        output.say(_sentence(options, oldest, overdue, now))
    return exits.NO if overdue else exits.DONE


def _form(options: Namespace, oldest: Job[Any] | None, overdue: int, now: datetime) -> dict[str, Any]:
    return {
        "ok": not overdue,
        "max_age": options.max_age,
        "queue": options.queue,
        "overdue": overdue,
        "oldest": None if oldest is None else {**job_form(oldest), "age": (now - oldest.run_at).total_seconds()},
    }


def _sentence(options: Namespace, oldest: Job[Any] | None, overdue: int, now: datetime) -> str:
    where = f" in the queue {options.queue}" if options.queue else ""
    if oldest is None:
        return f"no job is due{where}"
    waits = duration((now - oldest.run_at).total_seconds())
    which = f"{printable(oldest.name)} ({oldest.id}, queue {oldest.queue}), has waited for {waits}"
    limit = duration(options.max_age)
    if not overdue:
        return f"no job{where} has been due for more than {limit}; the oldest, {which}"
    have = "has" if overdue == 1 else "have"
    return f"{count(overdue, 'job')}{where} {have} been due for more than {limit}; the oldest, {which}"


COMMAND = Command(
    about="""\
Say whether a due job waits longer than it may, which means that no worker serves its queue or that there are too few.
It is measured from the time a job was due, so jobs for later, retries among them, do not count before their time.""",
    examples=(
        ("backburner check", "for a monitor or a cron job"),
        ("backburner check --max-age 60 --queue mail", "stricter, for one queue"),
    ),
    exit_codes={exits.DONE: "no due job is older", exits.NO: "a due job is older"},
    add_arguments=add_arguments,
    run=run,
)
