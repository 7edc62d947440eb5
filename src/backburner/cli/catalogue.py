"""The commands there are. A command's own file is imported when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from backburner.cli.command import Command

Words = tuple[str, ...]
"""What a command is called: `("work",)`, `("jobs", "list")`."""

SUMMARIES: Final[dict[Words, str]] = {
    ("migrate",): "make or upgrade the tables",
    ("alembic",): "write a revision that makes the tables",
    ("work",): "perform jobs until stopped",
    ("start",): "perform jobs in the background",
    ("stop",): "stop the workers in the background",
    ("restart",): "stop the workers in the background, and start them again",
    ("status",): "say which workers run in the background",
    ("workoff",): "perform the jobs that are ready, then end",
    ("check",): "say whether a due job waits too long",
    ("doctor",): "find what is wrong with this set-up",
    ("bench",): "measure this set-up",
    ("clear",): "delete all jobs",
    ("jobs", "list"): "list jobs",
    ("jobs", "show"): "show all there is to know about a job",
    ("jobs", "retry"): "make jobs due now, with all their attempts",
    ("jobs", "cancel"): "call jobs off",
    ("jobs", "delete"): "delete jobs",
    ("queues", "list"): "list queues and what is in them",
    ("queues", "pause"): "let workers take no more jobs from queues",
    ("queues", "resume"): "let workers take jobs from queues again",
    ("workers",): "list workers",
}
"""Every command, in the order of the help, with what it does."""

GROUPS: Final[dict[Words, str]] = {
    (): "Background jobs in your application's own database.",
    ("jobs",): "Look at jobs and change what becomes of them.",
    ("queues",): "Look at queues, pause and resume them.",
}
"""What commands have in common whose first words are the same."""


def next_words(words: Words) -> list[str]:
    """Return the words that may follow these."""
    depth = len(words)
    return list(dict.fromkeys(name[depth] for name in SUMMARIES if name[:depth] == words))


def load(words: Words) -> Command:
    """Import the file of a command."""
    command = import_module(".".join(("backburner.cli.commands", *words))).COMMAND
    if not isinstance(command, Command):
        raise TypeError(f"expected a Command in the file of {' '.join(words)!r}, got {command!r}")
    return command
