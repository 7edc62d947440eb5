"""`flask backburner …`: every command of backburner, about this application."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
from flask.cli import ScriptInfo

from backburner.app import use
from backburner.cli.again import as_command_of
from backburner.cli.main import main
from backburner.integrations.flask.served import Served

HELP = "Background jobs: work, jobs list, doctor … (--help shows all)."


def command_line(served: Served) -> click.Command:
    """Make the command that hands its arguments on to backburner's own command line."""

    @click.command(
        "backburner",
        help=HELP,
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    )
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    @click.pass_context
    def backburner(context: click.Context, arguments: tuple[str, ...]) -> None:
        app = served.backburner
        app.allow(served.flask_app.import_name.partition(".")[0])
        with use(app), as_command_of(*_before(arguments, context.find_object(ScriptInfo))):
            context.exit(main(arguments))

    return backburner


def _before(arguments: Sequence[str], info: ScriptInfo | None) -> list[str]:
    """Return what the interpreter is given before the arguments, for commands that start other processes."""
    original = sys.orig_argv
    if arguments and original[-len(arguments) :] == list(arguments):
        return original[1 : -len(arguments)]
    path = None if info is None else info.app_import_path
    return ["-m", "flask", *(("--app", path) if path else ()), "backburner"]
