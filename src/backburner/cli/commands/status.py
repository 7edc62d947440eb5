"""`backburner status`: say which workers run in the background."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime

from backburner.cli import exits, output
from backburner.cli.arguments import add_json
from backburner.cli.command import Command
from backburner.cli.daemons.options import add_choice
from backburner.cli.daemons.pid_files import Daemon, all_in
from backburner.cli.phrases import age
from backburner.cli.tables import Column, Row, say_table
from backburner.core.text import printable

COLUMNS = (
    Column("NAME"),
    Column("STATE"),
    Column("PROCESS", is_number=True),
    Column("STARTED"),
    Column("ARGUMENTS", may_be_cut=True),
)


def add_arguments(parser: ArgumentParser) -> None:
    """Add what only this command has."""
    add_choice(parser)
    add_json(parser)


def run(options: Namespace) -> int:
    """Say which run, and which have died."""
    daemons = all_in(options.pid_dir, options.name)
    if options.json:
        output.say_json([_form(daemon) for daemon in daemons])
    else:
        say_table(COLUMNS, [_row(daemon) for daemon in daemons], when_empty=f"no workers in {options.pid_dir}")
    if not any(daemon.is_running for daemon in daemons):
        return exits.NOT_RUNNING
    return exits.DONE if all(daemon.is_running for daemon in daemons) else exits.NO


def _row(daemon: Daemon) -> Row:
    now, start = datetime.now(UTC), daemon.start
    started = age(datetime.fromisoformat(start.at), now) if start is not None else "unknown"
    arguments = printable(" ".join(start.arguments)) if start is not None else ""
    pid = daemon.pid or 0
    return Row(
        shown=(daemon.name, _state(daemon), pid, started, arguments),
        plain=(daemon.name, _state(daemon), pid, start.at if start is not None else "", arguments),
    )


def _form(daemon: Daemon) -> dict[str, object]:
    start = daemon.start
    return {
        "name": daemon.name,
        "state": _state(daemon),
        "pid": daemon.pid,
        "pid_file": str(daemon.path),
        "started_at": None if start is None else start.at,
        "directory": None if start is None else start.directory,
        "arguments": None if start is None else list(start.arguments),
    }


def _state(daemon: Daemon) -> str:
    return "running" if daemon.is_running else "dead"


COMMAND = Command(
    about="""\
Say which workers run in the background: all that have a pid file in --pid-dir, however they were started. One that is
dead has left its pid file behind, as it was killed. What they do, `workers` tells, and those on other machines.""",
    examples=(
        ("backburner status", ""),
        ("backburner status --json | jq '.[].pid'", "for programs"),
    ),
    exit_codes={
        exits.DONE: "all of them run",
        exits.NO: "some run, some have died",
        exits.NOT_RUNNING: "none runs",
    },
    add_arguments=add_arguments,
    run=run,
)
