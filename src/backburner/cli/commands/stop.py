"""`backburner stop`: stop the workers in the background."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from backburner.cli import exits, output
from backburner.cli.command import Command
from backburner.cli.daemons.options import add_choice
from backburner.cli.daemons.pid_files import Daemon, all_in
from backburner.cli.daemons.stopping import stop_all


def run(options: Namespace) -> int:
    """Stop them, and wait for their end."""
    daemons = all_in(options.pid_dir, options.name)
    if not any(daemon.is_running for daemon in daemons):
        output.say(f"no worker is running; looked in {options.pid_dir}")
    left = stop_all(daemons)
    _say(daemons, left)
    return exits.NO if left else exits.DONE


def _say(daemons: Sequence[Daemon], left: Sequence[Daemon]) -> None:
    for daemon in daemons:
        if daemon in left:
            output.say(f"{daemon.name} (process {daemon.pid}) is still running: `kill -9 {daemon.pid}` ends it")
        elif daemon.is_running:
            output.say(f"{daemon.name} (process {daemon.pid}) has stopped")
        else:
            output.say(f"{daemon.name} (process {daemon.pid or 'unknown'}) had died; its pid file is removed")


COMMAND = Command(
    about="""\
Stop the workers in the background: all that have a pid file in --pid-dir, however they were started. They take no more
jobs and finish the running ones within their --grace, as at the signal TERM; returns when they have ended.""",
    examples=(
        ("backburner stop", "all of them"),
        ("backburner stop --name mail", "one of them"),
    ),
    exit_codes={
        exits.DONE: "none is running, or any more",
        exits.NO: "one is still running long after its grace",
    },
    add_arguments=add_choice,
    run=run,
)
