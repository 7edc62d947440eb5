"""`backburner restart`: stop the workers in the background, and start them again."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from backburner.cli import exits, output
from backburner.cli.command import Command
from backburner.cli.daemons.launching import Launch, NotStarted, launch
from backburner.cli.daemons.options import LOG_FILE, add_choice
from backburner.cli.daemons.pid_files import Daemon, Start, all_in
from backburner.cli.daemons.stopping import stop_all


def run(options: Namespace) -> int:
    """Stop them, wait for their end, and start each as it was started."""
    daemons = all_in(options.pid_dir, options.name)
    if not daemons:
        output.say(f"there is no worker to restart; looked in {options.pid_dir}; `backburner start` starts one")
        return exits.NO
    left = stop_all(daemons)
    return max(_start_again(daemon, is_left=daemon in left) for daemon in daemons)


def _start_again(daemon: Daemon, *, is_left: bool) -> int:
    if is_left:
        output.say(f"{daemon.name} (process {daemon.pid}) is still running: `kill -9 {daemon.pid}` ends it")
        return exits.NO
    if daemon.start is None:
        output.say(f"{daemon.name}: how it was started cannot be read in {daemon.path}; `backburner start` it")
        return exits.NO
    try:
        pid = launch(_launch_of(daemon.start))
    except NotStarted as error:
        output.complain(NotStarted(f"{daemon.name} has stopped, and does not start: {error}"))
        return exits.WRONG
    output.say(f"{daemon.name} is running again (process {pid})")
    return exits.DONE


def _launch_of(start: Start) -> Launch:
    arguments = list(start.arguments)
    is_given = "--log-file" in arguments[:-1]
    log_file = Path(arguments[len(arguments) - arguments[::-1].index("--log-file")]) if is_given else LOG_FILE
    return Launch(arguments, Path(start.directory), log_file)


COMMAND = Command(
    about="""\
Stop the workers in the background, as `stop` does, and start each again with the command line and in the directory that
it had; also those that have died and left their pid file behind. To change options, `stop` and `start`.""",
    examples=(
        ("backburner restart", "after a deploy"),
        ("backburner restart --name mail", "one of them"),
    ),
    exit_codes={
        exits.DONE: "all of them run",
        exits.NO: "there is none, or one is still running long after its grace",
        exits.WRONG: "wrong use or set-up, or one did not begin to work; the message says why",
    },
    add_arguments=add_choice,
    run=run,
)
