"""`backburner jobs show`: show all there is to know about a job."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from backburner.cli import exits, output
from backburner.cli.apps import opened_app
from backburner.cli.arguments import add_json
from backburner.cli.command import Command
from backburner.cli.json_forms import job_form
from backburner.cli.phrases import age, duration
from backburner.core.job import Job
from backburner.core.lifecycle import State
from backburner.core.text import printable

LONGEST_LINE = 10_000


def add_arguments(parser: ArgumentParser) -> None:
    """Add what only this command has."""
    parser.add_argument("id", metavar="ID", help="the id of a job")
    add_json(parser)


def run(options: Namespace) -> int:
    """Show a job."""
    with opened_app(options) as app:
        job = app.jobs.get(options.id)
        now = app.store.now()
    if options.json:
        output.say_json(job_form(job))
        return exits.DONE
    for title, text in _facts(job, now):
        _say_fact(title, text)
    return exits.DONE


def _facts(job: Job[Any], now: datetime) -> Iterator[tuple[str, str]]:
    """Yield what there is to say, by title."""
    yield "id", str(job.id)
    yield "name", job.name
    yield "state", _state(job)
    yield "queue", job.queue
    yield "priority", str(job.priority)
    if job.tags:
        yield "tags", ", ".join(job.tags)
    yield "attempts", f"{job.attempts} failed of {job.max_attempts}"
    if job.max_run_time is not None:
        yield "max run time", duration(job.max_run_time.total_seconds())
    if job.crashes:
        yield "crashes", f"{job.crashes} (workers that were lost while they performed it)"
    for title, moment in _moments(job):
        yield title, f"{moment.isoformat(timespec='milliseconds')} ({age(moment, now)})"
    if job.locked_by:
        yield "locked by", job.locked_by
    if job.progress is not None:
        yield "progress", _progress(job)
    yield "handler", _handler(job.handler)
    if job.last_error:
        yield "last error", job.last_error


def _state(job: Job[Any]) -> str:
    if job.state is State.RUNNING and job.cancel_requested:
        return f"{job.state.value}, asked to stop"
    return f"{job.state.value}, retrying" if job.is_retrying else job.state.value


def _moments(job: Job[Any]) -> Iterator[tuple[str, datetime]]:
    yield "created at", job.created_at
    yield "run at", job.run_at
    if job.locked_at is not None:
        yield "locked at", job.locked_at
    if job.failed_at is not None:
        yield "failed at", job.failed_at
    if job.finished_at is not None:
        yield "finished at", job.finished_at


def _progress(job: Job[Any]) -> str:
    if job.progress is None:
        return ""
    done, total, note = job.progress
    share = f"{done:g}" if total is None else f"{done:g} of {total:g}"
    return f"{share}, {note}" if note else share


def _handler(handler: str) -> str:
    """Return a handler with an indentation; as it is when it is no JSON."""
    try:
        return json.dumps(json.loads(handler), indent=2, ensure_ascii=False)
    except ValueError:
        return handler


def _say_fact(title: str, text: str) -> None:
    lines = [printable(line, LONGEST_LINE) for line in text.splitlines()] or [""]
    if len(lines) == 1:
        output.say(f"{title + ':':14}{lines[0]}")
    else:
        output.say("\n".join([f"{title}:", *(f"  {line}".rstrip() for line in lines)]))


COMMAND = Command(
    about="""\
Show all there is to know about a job: its state and times, its handler (what is to be done, as JSON) and its last error
with the traceback.""",
    examples=(
        ("backburner jobs show 019a…", ""),
        ("backburner jobs show 019a… --json | jq -r .last_error", "only the error"),
    ),
    exit_codes={exits.NO: "no job has this id"},
    add_arguments=add_arguments,
    run=run,
)
