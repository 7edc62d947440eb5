"""Starting a worker in the background: as a session of its own, from nothing, with a log file for its output."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NamedTuple

from backburner.cli.again import program
from backburner.cli.daemons.reports import READY, read_report
from backburner.core.errors import ConfigurationError

PATIENCE = 60.0
"""Seconds that a worker may take to import the app's code and reach its database."""

LAST_LINES = 20

MOST_BYTES = 8_192


class NotStarted(ConfigurationError):
    """A worker did not begin to work."""


class Launch(NamedTuple):
    """How a worker is to be started."""

    arguments: Sequence[str]
    """Of the command line, beginning with the options before the command."""
    directory: Path
    log_file: Path


def launch(what: Launch) -> int:
    """Start a worker, wait until it works, and return the number of its process. Raises ConfigurationError."""
    log_file = what.directory / what.log_file
    reader, writer = os.pipe()
    try:
        with _opened(log_file) as log:
            began = log.tell()
            process = subprocess.Popen(  # noqa: S603  # this program itself
                [*program(), *what.arguments, "--report", str(writer)],
                cwd=what.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=[writer],
            )
    finally:
        os.close(writer)
    try:
        _expect(read_report(reader, PATIENCE), process, log_file, began)
    finally:
        os.close(reader)
    process.returncode = 0  # it is not waited for: it outlives this process
    return process.pid


def _opened(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("ab")
    except OSError as error:
        raise ConfigurationError(f"cannot write the log file {path}: {error.strerror}") from error


def _expect(report: bytes | None, process: subprocess.Popen[bytes], log_file: Path, began: int) -> None:
    if report == READY:
        return
    if report is None:
        process.send_signal(signal.SIGKILL)
        process.wait()
        raise NotStarted(f"it did not begin to work within {PATIENCE:g} s and was killed; its log is {log_file}")
    code = process.wait()
    if report:
        raise NotStarted(report.decode(errors="replace"))
    said = _last_lines(log_file, began)
    raise NotStarted(f"it ended with exit code {code} before it worked; its log, {log_file}, ends so: {said}")


def _last_lines(log_file: Path, began: int) -> str:
    with log_file.open("rb") as log:
        end = log.seek(0, os.SEEK_END)
        log.seek(max(began, end - MOST_BYTES))
        lines = log.read().decode(errors="replace").splitlines()
    return " | ".join(line.strip() for line in lines[-LAST_LINES:])
