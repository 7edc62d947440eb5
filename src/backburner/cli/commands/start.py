"""`backburner start`: perform jobs in the background."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from backburner.cli import exits, output
from backburner.cli.command import Command
from backburner.cli.commands import work
from backburner.cli.daemons.launching import Launch, launch
from backburner.cli.daemons.options import LOG_FILE, PID_DIR
from backburner.cli.daemons.pid_files import look_at, path_of
from backburner.cli.parsing import UsageError


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `work`, and where its files are."""
    work.add_arguments(parser)
    parser.set_defaults(pid_dir=PID_DIR, log_file=LOG_FILE)


def run(options: Namespace) -> int:
    """Start a worker, unless it runs."""
    if options.app and options.url:
        raise UsageError("expected --app or --url, got both: an app has its own URL")
    path = path_of(options.pid_dir, options.name)
    daemon = look_at(path)
    if daemon is not None and daemon.is_running:
        output.say(f"{daemon.name} is running already (process {daemon.pid}); `backburner restart` starts it anew")
        return exits.DONE
    pid = launch(Launch(_arguments_of(options), Path.cwd(), options.log_file))
    output.say(f"{options.name or 'backburner'} is running (process {pid}); it logs to {options.log_file}")
    return exits.DONE


def _arguments_of(options: Namespace) -> list[str]:
    """Return the command line that does the same in the foreground."""
    app = ["--app", options.app] if options.app else []
    url = ["--url", options.url] if options.url else []
    files = ["--pid-dir", str(options.pid_dir), "--log-file", str(options.log_file)]
    return [*app, *url, "work", *options.rest, *files]


COMMAND = Command(
    about="""\
Perform jobs in the background, with the options of `work`. Returns when the worker has imported the packages and has
reached its database, or says why it did not.

Its pid file is in --pid-dir, which is tmp/pids here, and its log goes to --log-file, which is log/backburner.log.
Several workers side by side need names: --name mail. To start one that is running already changes nothing.""",
    examples=(
        ("backburner start shop", "one worker for all queues"),
        ("backburner start shop --processes 4", "with a supervisor and four processes"),
        ("backburner start shop --name mail --queues mail", "beside the other one"),
    ),
    exit_codes={
        exits.DONE: "it runs, or ran already",
        exits.WRONG: "wrong use or set-up, or it did not begin to work; the message says why",
    },
    add_arguments=add_arguments,
    run=run,
)
