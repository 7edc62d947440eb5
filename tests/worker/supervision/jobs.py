"""Jobs for worker processes."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from backburner import job

kept: list[bytearray] = []


@job
def note(path: str, text: str = "") -> None:
    """Append a line with the number of the process."""
    with open(path, "a") as file:
        file.write(f"{os.getpid()} {text}\n")


@job
def hold(started: str, release: str) -> None:
    """Say in a pipe which process performs this, then wait until somebody has opened the other one and closed it."""
    Path(started).write_text(f"{os.getpid()}\n")
    Path(release).read_text()


@job
def hold_python(started: str, release: str) -> None:
    """Do the same, but let no other thread of Python run meanwhile, as code in C may."""
    libc = ctypes.PyDLL(None)  # unlike CDLL, it keeps the lock of the interpreter
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    descriptor, text = os.open(started, os.O_RDWR), f"{os.getpid()}\n".encode()
    libc.write(descriptor, text, len(text))
    while libc.open(release.encode(), os.O_RDONLY) < 0:
        pass  # a signal came
    os.close(descriptor)
    sys.setswitchinterval(interval)


@job
def hold_deaf(started: str, release: str) -> None:
    """Do that, and let no signal end the call."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    hold_python.__wrapped__(started, release)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())


@job
def crash() -> None:
    ctypes.string_at(0)


@job
def die(started: str) -> None:
    """Say that this is performed, then be killed like a victim of the kernel's."""
    note.__wrapped__(started)
    os.kill(os.getpid(), signal.SIGKILL)


@job
def grow(path: str, megabytes: int) -> None:
    """Take memory and keep it."""
    kept.append(bytearray(os.urandom(1 << 20) * megabytes))
    note.__wrapped__(path)


@job
def sleep_on(started: str) -> None:
    """Sleep for ever, whatever is raised."""
    Path(started).write_text(f"{os.getpid()}\n")
    while True:
        with suppress(BaseException):
            time.sleep(3600)


@job
async def hold_async(started: str) -> None:
    """Say that this runs, and wait for ever."""
    Path(started).write_text(f"{os.getpid()}\n")  # noqa: ASYNC240  # somebody reads it
    await wait_for_ever()


async def wait_for_ever() -> None:
    await asyncio.Event().wait()


@job
def note_environment(path: str, name: str) -> None:
    Path(path).write_text(str(os.environ.get(name)))
