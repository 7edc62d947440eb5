"""`backburner jobs list`: list jobs."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from datetime import datetime
from typing import Any

from backburner.cli import exits, output
from backburner.cli.apps import opened_app
from backburner.cli.arguments import add_json, queue, states, whole_number
from backburner.cli.command import Command
from backburner.cli.json_forms import iso, job_form
from backburner.cli.phrases import age
from backburner.cli.tables import Column, Row, say_table
from backburner.core.job import Job
from backburner.core.lifecycle import State
from backburner.core.ports import JobFilter, Store

LIMIT = 100
PAGE = 1_000
"""Jobs that are read at once."""

COLUMNS = (
    Column("ID"),
    Column("NAME", may_be_cut=True),
    Column("QUEUE", may_be_cut=True),
    Column("PRIO", is_number=True, may_be_missing=True),
    Column("STATE"),
    Column("WHEN"),
    Column("ATTEMPTS", is_number=True, may_be_missing=True),
    Column("LAST ERROR", may_be_cut=True, may_be_missing=True),
)


def add_arguments(parser: ArgumentParser) -> None:
    """Add what only this command has."""
    known = ", ".join(State)
    parser.add_argument(
        "--state", type=states, metavar="STATES", help=f"{known}, several with commas, or all; default: all but history"
    )
    parser.add_argument("--queue", type=queue, help="only jobs of this queue")
    parser.add_argument("--name", help="only jobs of this name, as in the table: User.activate")
    parser.add_argument("--tag", help="only jobs with this tag")
    parser.add_argument(
        "--limit", type=whole_number(0), default=LIMIT, help=f"only so many, the newest; 0: all; default: {LIMIT}"
    )
    add_json(parser)


def run(options: Namespace) -> int:
    """List jobs."""
    which = JobFilter(states=options.state, queue=options.queue, name=options.name, tag=options.tag)
    with opened_app(options) as app:
        jobs = _newest(app.store, which, options.limit)
        total = app.store.run(app.store.count(which)) if len(jobs) == options.limit else len(jobs)
        now = app.store.now()
    if options.json:
        output.say_json([job_form(job) for job in jobs])
    else:
        say_table(COLUMNS, [_row(job, now) for job in jobs], when_empty="no jobs")
    if total > len(jobs):
        output.note(f"these are the newest {len(jobs):,} of {total:,} jobs; --limit 0 lists all")
    return exits.DONE


def _newest(store: Store, which: JobFilter, limit: int) -> list[Job[Any]]:
    """Return the newest jobs that fit, the newest last."""
    jobs: list[Job[Any]] = []
    while True:
        wanted = min(limit - len(jobs), PAGE) if limit else PAGE
        after = jobs[-1].id if jobs else None
        page = store.run(store.find(which, after=after, limit=wanted, newest_first=True)) if wanted else []
        jobs += page
        if len(page) < wanted or not wanted:
            return jobs[::-1]


def _row(job: Job[Any], now: datetime) -> Row:
    error = (job.last_error or "").partition("\n")[0]
    return Row(
        shown=(
            job.id,
            job.name,
            job.queue,
            job.priority,
            job.state.value,
            _when(job, now),
            f"{job.attempts}/{job.max_attempts}",
            error,
        ),
        plain=(
            job.id,
            job.name,
            job.queue,
            job.priority,
            job.state.value,
            iso(job.run_at),
            job.attempts,
            job.max_attempts,
            error,
        ),
    )


def _when(job: Job[Any], now: datetime) -> str:
    """Return the time that matters in this state: when it is or was due, or since when it is what it is."""
    match job.state:
        case State.RUNNING:
            moment = job.locked_at
        case State.FAILED:
            moment = job.failed_at
        case State.SUCCEEDED | State.CANCELLED:
            moment = job.finished_at
        case _:
            moment = job.run_at
    return age(moment or job.run_at, now)


COMMAND = Command(
    about="""\
List jobs, the newest last. WHEN is the time that matters: when a queued job is due, since when another is what it is.
ATTEMPTS are those that failed, of those there are.
Piped: id, name, queue, priority, state, run_at, attempts, max_attempts, first line of the last error, with tabs
between them.""",
    examples=(
        ("backburner jobs list", "what is queued, running, blocked or failed"),
        ("backburner jobs list --state failed --queue mail", ""),
        ("backburner jobs list --state all --limit 0 --json", "everything there is"),
    ),
    add_arguments=add_arguments,
    run=run,
)
