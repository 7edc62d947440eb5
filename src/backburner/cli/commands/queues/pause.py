"""`backburner queues pause`: let workers take no more jobs from queues."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from backburner.cli import exits, output
from backburner.cli.apps import opened_app
from backburner.cli.arguments import add_json, queue
from backburner.cli.command import Command
from backburner.cli.json_forms import queue_form
from backburner.cli.suggest import did_you_mean
from backburner.core.ports import QueueInfo


def add_arguments(parser: ArgumentParser) -> None:
    """Add what only this command has."""
    parser.add_argument("queues", type=queue, nargs="+", metavar="QUEUE", help="the name of a queue")
    add_json(parser)


def run(options: Namespace) -> int:
    """Pause queues."""
    with opened_app(options) as app:
        known = [each.name for each in app.store.run(app.store.queues())]
        for name in options.queues:
            app.store.run(app.store.pause(name))
        now = {each.name: each for each in app.store.run(app.store.queues())}
    if options.json:
        output.say_json([queue_form(now.get(name, QueueInfo(name))) for name in options.queues])
        return exits.DONE
    for name in options.queues:
        output.say(f"{name} is paused: no worker takes jobs from it until `backburner queues resume {name}`")
        if name not in known:
            output.note(f"there are no jobs in {name!r} now{did_you_mean(name, known)}")
    return exits.DONE


COMMAND = Command(
    about="""\
Let no worker take jobs from queues until they are resumed. Jobs can still be enqueued; those that run go on.""",
    examples=(("backburner queues pause mail", "while the mail server is down"),),
    add_arguments=add_arguments,
    run=run,
)
