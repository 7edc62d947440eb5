"""`manage.py backburner …`: every command of backburner, about this project."""

from __future__ import annotations

import sys
from argparse import REMAINDER, ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils.module_loading import autodiscover_modules

from backburner.cli.again import as_command_of
from backburner.cli.main import main


class Command(BaseCommand):
    """Hands its arguments on to backburner's own command line."""

    help = "Background jobs: work, jobs list, doctor … (--help shows all)."
    requires_system_checks: Sequence[str] = ()

    def run_from_argv(self, argv: Sequence[str]) -> None:
        """Run a command line, and end the process with backburner's exit code."""
        autodiscover_modules("jobs")
        connections.close_all()  # processes that are forked must not share what an import has opened
        code = _run(argv[2:], _before(argv))
        if code:
            sys.exit(code)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whatever follows, for `call_command`."""
        parser.add_argument("arguments", nargs=REMAINDER)

    def handle(self, *_: Any, arguments: Sequence[str] = (), **__: Any) -> None:
        """Run a command line that a program gives: `call_command("backburner", "workoff")`.

        Raises CommandError for an exit code that is not 0.
        """
        autodiscover_modules("jobs")
        code = _run(arguments, [sys.argv[0], "backburner"])
        if code:
            raise CommandError(f"expected backburner to end with 0, got {code}", returncode=code)


def _run(given: Sequence[str], before: Sequence[str]) -> int:
    with as_command_of(*before):
        return main(_without_djangos(given))


def _before(argv: Sequence[str]) -> list[str]:
    """Return what the interpreter is given before the arguments, for commands that start other processes."""
    original, arguments = sys.orig_argv, list(argv[2:])
    if arguments and original[-len(arguments) :] == arguments:
        return original[1 : -len(arguments)]
    return [argv[0], argv[1]]


def _without_djangos(arguments: Sequence[str]) -> list[str]:
    """Leave out the options that Django has acted on already."""
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--settings")
    parser.add_argument("--pythonpath")
    _, others = parser.parse_known_args(list(arguments))
    return others
