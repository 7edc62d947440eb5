"""What a process that stays has besides its work: a log file, a pid file, and others who ask how it is."""

from __future__ import annotations

import os
import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from pathlib import Path

from backburner.cli.arguments import port
from backburner.cli.daemons.pid_files import PidFile, path_of
from backburner.core.errors import ConfigurationError
from backburner.observe.logs import LOGGER
from backburner.worker.supervision.forking import end_process
from backburner.worker.supervision.health import Check, Health


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options about the process."""
    parser.add_argument("--pid-dir", type=Path, metavar="DIR", help="write a pid file there, for `stop` and `status`")
    parser.add_argument("--log-file", type=Path, metavar="FILE", help="write all output to this file")
    parser.add_argument(
        "--health-port", type=port, metavar="PORT", help="answer GET /livez and /readyz there; default: nowhere"
    )
    parser.add_argument(
        "--health-host", default="127.0.0.1", metavar="HOST", help="where to listen for them; default: 127.0.0.1"
    )
    parser.add_argument("--report", type=int, help=SUPPRESS)  # the pipe to a `start` that waits


class Standing:
    """The pid file and the health server of this process, as far as they are wanted."""

    def __init__(self, options: Namespace) -> None:
        self._options = options
        self._pid_file: PidFile | None = None
        self._health: Health | None = None

    def __enter__(self) -> Standing:
        options = self._options
        if options.pid_dir is not None:
            arguments = options.argv if options.report is None else options.argv[:-2]  # without --report
            self._pid_file = PidFile(path_of(options.pid_dir, options.name), arguments, options.grace)
        return self

    def __exit__(self, *_: object) -> None:
        if self._health is not None:
            self._health.close()
        if self._pid_file is not None:
            self._pid_file.remove()

    def health(self, is_live: Check, is_ready: Check) -> Health | None:
        """Listen for those who ask how it is. Raises ConfigurationError."""
        if self._options.health_port is None:
            return None
        self._health = Health(self._options.health_host, self._options.health_port, is_live, is_ready)
        _log(f"health: listening on {self._options.health_host}:{self._health.port}")
        return self._health

    def close_in_child(self) -> None:
        """Close what a forked process must not keep; the lock on the pid file does that by itself."""
        if self._health is not None:
            self._health.close()

    def leave_process(self, code: int) -> None:
        """End the process at once."""
        if self._pid_file is not None:
            self._pid_file.remove()
        end_process(code)


def log_to(path: Path | None) -> None:
    """Let all output of this process and of its children go to the end of a file. Raises ConfigurationError."""
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ConfigurationError(f"cannot write the log file {path}: {error.strerror}") from error
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    for descriptor in (1, 2):
        os.dup2(file, descriptor)
    os.close(file)


def _log(text: str) -> None:
    import logging

    logging.getLogger(LOGGER).info(text)
