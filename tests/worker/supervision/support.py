"""Running supervisors, and looking at the processes that they keep."""

from __future__ import annotations

import os
import re
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.cli.support import Running

ROOT = Path(__file__).parents[3]
SOON = 30.0
"""Seconds for what should happen at once."""

APP = ("--app", "tests.worker.supervision.shop:app")


def until(is_so: Callable[[], object], what: str, seconds: float = SOON) -> float:
    """Wait until something is so; return how many seconds that took."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < seconds, f"not in time: {what}"
        time.sleep(0.005)
    return time.monotonic() - began


def is_alive(pid: int) -> bool:
    """Say whether a process is there, and is more than the memory of one."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    os.kill(pid, number)


def pids_in(path: Path) -> list[int]:
    """Return the numbers of the processes that noted something in a file."""
    return [int(line.split()[0]) for line in path.read_text().splitlines()] if path.exists() else []


class Hold:
    """Two named pipes, by which a job says that it runs, and is told to go on."""

    def __init__(self, folder: Path, name: str = "hold") -> None:
        self.started, self.release = str(folder / f"{name}.started"), str(folder / f"{name}.release")
        for path in (self.started, self.release):
            os.mkfifo(path)
        # Both ends, so that nobody has to be there for it to be opened, and to read never ends.
        self._reader = os.open(self.started, os.O_RDWR)

    def pid(self) -> int:
        """Wait until the job runs; return the number of its process."""
        readable, _, _ = select.select([self._reader], [], [], SOON)
        assert readable, "the job did not begin in time"
        return int(os.read(self._reader, 64))

    def let_go(self) -> None:
        """Let the job go on."""
        os.close(os.open(self.release, os.O_WRONLY))

    def close(self) -> None:
        """Let go of who is still held, too."""
        os.close(os.open(self.release, os.O_RDWR))
        os.close(self._reader)


def logged_pids(lines: list[str], what: str) -> list[int]:
    """Return the numbers of the processes in the lines of a log that say this."""
    return [int(found[1]) for line in lines if what in line and (found := re.search(r" pid=(\d+) ", line))]


def worker_pids(supervisor: Running, number: int) -> list[int]:
    """Wait until so many worker processes were started, and return their numbers, in order."""
    while len(found := logged_pids(supervisor.lines, "process started")) < number:
        supervisor.wait_for("process started")
    return found
