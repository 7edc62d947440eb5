"""`backburner clear`: delete all jobs."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from backburner.cli import exits, output
from backburner.cli.apps import opened_app
from backburner.cli.arguments import add_json, add_yes, queue
from backburner.cli.asking import is_confirmed
from backburner.cli.command import Command
from backburner.cli.phrases import count
from backburner.core.lifecycle import State
from backburner.core.ports import JobFilter


def add_arguments(parser: ArgumentParser) -> None:
    """Add what only this command has."""
    parser.add_argument("--queue", type=queue, help="only the jobs of this queue")
    add_yes(parser)
    add_json(parser)


def run(options: Namespace) -> int:
    """Delete jobs, after asking."""
    with opened_app(options) as app:
        store = app.store
        every = JobFilter(queue=options.queue, states=frozenset(State))
        where = f"in the queue {options.queue} of {store.url}" if options.queue else f"in {store.url}"
        question = f"Delete all {count(store.run(store.count(every)), 'job')} {where}, finished ones too?"
        if not is_confirmed(question, yes=options.yes):
            output.note("nothing was deleted")
            return exits.NO
        deleted = store.run(store.delete_all(every))
        running = store.run(store.count(JobFilter(queue=options.queue, states=frozenset({State.RUNNING}))))
    if options.json:
        output.say_json({"deleted": deleted, "running": running})
    else:
        left = f"; {count(running, 'job')} left that a worker is performing" if running else ""
        output.say(f"{count(deleted, 'job')} deleted{left}")
    return exits.DONE


COMMAND = Command(
    about="""\
Delete all jobs: queued, blocked, failed and finished ones. Running ones stay. Asks first.""",
    examples=(
        ("backburner clear", ""),
        ("backburner clear --queue mail --yes", "without asking, one queue only"),
    ),
    exit_codes={exits.DONE: "deleted", exits.NO: "the question was answered with no"},
    add_arguments=add_arguments,
    run=run,
)
