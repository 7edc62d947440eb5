"""The pid files of workers: who runs, under which number, and how it was started.

The first line is the number of the process, for other programs that read such files. The process holds a lock on its
file as long as it lives, so that a file that was left behind, or a number that another process has by now, deceives
nobody. A file is whole before it has its name.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from backburner.cli.daemons.locks import is_locked, lock, locked_directory
from backburner.core.errors import ConfigurationError

DEFAULT_NAME = "backburner"
SUFFIX = ".pid"


@dataclass(frozen=True, slots=True)
class Start:
    """How a worker was started."""

    arguments: tuple[str, ...]
    """Of the command line."""
    directory: str
    """Where."""
    at: str
    """When, in ISO 8601."""
    grace: float
    """Seconds that it may take to stop."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """A worker, as its pid file shows it."""

    path: Path
    pid: int | None
    """None: the file cannot be read."""
    start: Start | None
    is_running: bool

    @property
    def name(self) -> str:
        """What it is called: `backburner`, or what `--name` said."""
        stem = self.path.name.removesuffix(SUFFIX)
        return stem.removeprefix(f"{DEFAULT_NAME}.") or DEFAULT_NAME


class AlreadyRunning(ConfigurationError):
    """A worker of this name runs in this directory."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        super().__init__(f"{daemon.name} is running already (process {daemon.pid}); see `backburner status`")


def path_of(directory: Path, name: str | None) -> Path:
    """Return where the pid file of a name is. Raises ConfigurationError when it cannot be part of a file's name."""
    if name is None:
        return directory / f"{DEFAULT_NAME}{SUFFIX}"
    if not re.fullmatch(r"[\w-][\w.-]{0,100}", name):
        raise ConfigurationError(f"name: expected letters, digits and . _ - for a pid file, got {name!r}")
    return directory / f"{DEFAULT_NAME}.{name}{SUFFIX}"


def all_in(directory: Path, name: str | None = None) -> list[Daemon]:
    """Return every worker that has a pid file there, or only the one of this name."""
    wanted = [path_of(directory, name)] if name is not None else sorted(directory.glob(f"{DEFAULT_NAME}*{SUFFIX}"))
    return [daemon for path in wanted if (daemon := look_at(path)) is not None]


def look_at(path: Path) -> Daemon | None:
    """Return the worker of a pid file; None when there is no file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"cannot read the pid file {path}: {error.strerror}") from error
    try:
        pid, _, start = os.read(descriptor, 1 << 20).decode(errors="replace").partition("\n")
        return Daemon(path, _number_in(pid), _start_in(start), is_locked(descriptor))
    finally:
        os.close(descriptor)


def remove_if_dead(path: Path) -> None:
    """Remove a pid file that was left behind."""
    with suppress(OSError), locked_directory(path.parent):
        daemon = look_at(path)
        if daemon is not None and not daemon.is_running:
            path.unlink()


class PidFile:
    """The pid file of this process, from now on until it is removed. Raises AlreadyRunning, ConfigurationError."""

    def __init__(self, path: Path, arguments: Sequence[str], grace: float) -> None:
        start = Start(tuple(arguments), os.getcwd(), datetime.now(UTC).isoformat(timespec="seconds"), grace)
        self._path = path
        self._pid = os.getpid()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with locked_directory(path.parent):
                self._descriptor = self._write(f"{self._pid}\n{json.dumps(asdict(start))}\n")
        except OSError as error:
            raise ConfigurationError(f"cannot write the pid file {path}: {error.strerror}") from error
        # A process that is forked shares the lock; it must not live on in one whose parent is dead.
        os.register_at_fork(after_in_child=self.close)

    def remove(self) -> None:
        """Remove the file."""
        if self._descriptor is not None and os.getpid() == self._pid:
            with suppress(OSError):
                self._path.unlink()
        self.close()

    def close(self) -> None:
        """Let go of the lock."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _write(self, text: str) -> int | None:
        other = look_at(self._path)
        if other is not None and other.is_running:
            raise AlreadyRunning(other)
        new = self._path.with_name(f".{self._path.name}.new")
        descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            lock(descriptor)
            os.write(descriptor, text.encode())
            os.replace(new, self._path)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor


def _number_in(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() else None


def _start_in(text: str) -> Start | None:
    try:
        found = json.loads(text)
        return Start(tuple(found["arguments"]), found["directory"], found["at"], float(found["grace"]))
    except (ValueError, KeyError, TypeError):
        return None
