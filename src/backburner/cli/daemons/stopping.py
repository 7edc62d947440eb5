"""Stopping workers in the background: all at once, and without ever touching another process."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterable
from contextlib import ExitStack
from time import monotonic, sleep
from typing import NamedTuple

from backburner.cli.daemons.pid_files import Daemon, look_at, remove_if_dead

MARGIN = 10.0
"""Seconds beyond the grace after which a worker has ended, if it ends at all: a supervisor kills what is left then, and
tells the database."""

DEFAULT_GRACE = 25.0

LOOK_EVERY = 0.05


class Stopping(NamedTuple):
    """A worker that was told to stop."""

    daemon: Daemon
    handle: int | None
    """A descriptor that stands for this process and no other, and can be read when it has ended; None: this system has
    no such thing."""
    until: float
    """When it has ended, if it ends at all."""


def stop_all(daemons: Iterable[Daemon]) -> list[Daemon]:
    """Stop workers and wait for their end; return those that still run."""
    left = []
    with ExitStack() as handles:
        for stopping in [stopping for daemon in daemons if (stopping := _stop(daemon, handles)) is not None]:
            if not _has_ended(stopping):
                left.append(stopping.daemon)
    for daemon in daemons:
        if daemon not in left:
            remove_if_dead(daemon.path)
    return left


def _stop(daemon: Daemon, handles: ExitStack) -> Stopping | None:
    """Send TERM to a worker that runs."""
    if daemon.pid is None:
        return None
    try:
        handle = _handle_of(daemon.pid)
        if handle is not None:
            handles.callback(os.close, handle)
        if not _still_runs(daemon):  # looked at now that the number cannot become another process's any more
            return None
        if handle is None:
            os.kill(daemon.pid, signal.SIGTERM)
        else:
            signal.pidfd_send_signal(handle, signal.SIGTERM)
    except (ProcessLookupError, OverflowError):
        return None
    grace = DEFAULT_GRACE if daemon.start is None else daemon.start.grace
    return Stopping(daemon, handle, monotonic() + grace + MARGIN)


def _handle_of(pid: int) -> int | None:
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        raise
    except OSError:  # an old kernel
        return None


def _still_runs(daemon: Daemon) -> bool:
    now = look_at(daemon.path)
    return now is not None and now.is_running and now.pid == daemon.pid


def _has_ended(stopping: Stopping) -> bool:
    """Wait for the end of a worker; say whether it came."""
    if stopping.handle is not None:
        return bool(select.select([stopping.handle], [], [], max(stopping.until - monotonic(), 0.0))[0])
    while _still_runs(stopping.daemon):
        if monotonic() >= stopping.until:
            return False
        sleep(LOOK_EVERY)
    return True
