"""`backburner queues resume`: let workers take jobs from queues again."""

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
    """Resume queues."""
    with opened_app(options) as app:
        paused = [each.name for each in app.store.run(app.store.queues()) if each.paused]
        for name in options.queues:
            app.store.run(app.store.resume(name))
        now = {each.name: each for each in app.store.run(app.store.queues())}
    if options.json:
        output.say_json([queue_form(now.get(name, QueueInfo(name))) for name in options.queues])
        return exits.DONE
    for name in options.queues:
        if name in paused:
            output.say(f"{name} is resumed")
        else:
            output.say(f"{name} was not paused{did_you_mean(name, paused)}")
    return exits.DONE


COMMAND = Command(
    about="""\
Let workers take jobs from paused queues again.""",
    examples=(("backburner queues resume mail reports", ""),),
    add_arguments=add_arguments,
    run=run,
)
