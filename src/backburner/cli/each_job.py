"""Doing the same to several jobs that are named by their ids."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from typing import Any

from backburner.cli import exits, output
from backburner.cli.json_forms import job_form
from backburner.core.errors import InvalidState, JobNotFound
from backburner.core.job import Job
from backburner.core.text import printable


def add_ids(parser: ArgumentParser, *, optional: bool = False) -> None:
    """Add the ids of jobs."""
    parser.add_argument("ids", nargs="*" if optional else "+", metavar="ID", help="the id of a job")


def do_to_each(
    ids: Sequence[str], do: Callable[[str], Job[Any]], became: Callable[[Job[Any]], str], *, as_json: bool
) -> int:
    """Do something to each job and say what became of it; what is wrong with one does not keep it from the others."""
    jobs = []
    for job_id in ids:
        try:
            job = do(job_id)
        except (JobNotFound, InvalidState) as error:
            output.complain(error)
            continue
        jobs.append(job)
        if not as_json:
            output.say(f"{job.id} {printable(job.name)} {became(job)}")
    if as_json:
        output.say_json([job_form(job) for job in jobs])
    return exits.DONE if len(jobs) == len(ids) else exits.NO
