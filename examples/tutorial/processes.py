"""The processes of the demo: started, listened to, and stopped whatever happens."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

EXAMPLES = Path(__file__).resolve().parents[1]
"""The folder from which `python -m tutorial` works."""

GRACE = 10.0
"""Seconds that a process has for stopping, before it is killed."""

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class NotSeen(Exception):
    """Something that should have happened was not seen."""


class Line(NamedTuple):
    """A line that a process wrote, and when it was read."""

    text: str
    at: float


class Process:
    """A process whose output is kept."""

    def __init__(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str], news: threading.Condition
    ) -> None:
        self.name = name
        self.has_ended = False
        self._lines: list[Line] = []
        self._unseen = 0
        self._news = news
        # A session of its own: Ctrl-C in the terminal reaches the demo alone, which then stops its processes in order.
        self._popen = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=EXAMPLES,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def log(self) -> str:
        return "\n".join(line.text for line in self._lines)

    def next_line(self, pattern: str) -> tuple[re.Match[str], float] | None:
        """Return the next line that fits, and when it came; None when there is none yet."""
        while self._unseen < len(self._lines):
            line = self._lines[self._unseen]
            self._unseen += 1
            if match := re.search(pattern, line.text):
                return match, line.at
        return None

    def stop(self) -> None:
        """Ask the process to end; kill it when it does not."""
        self._popen.terminate()
        try:
            self._popen.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._reader.join(GRACE)

    def _read(self) -> None:
        assert self._popen.stdout is not None
        with self._popen.stdout as output:
            for text in output:
                with self._news:
                    self._lines.append(Line(text.rstrip(), time.monotonic()))
                    self._news.notify_all()
        with self._news:
            self.has_ended = True
            self._news.notify_all()


class Processes:
    """All processes of the demo; leaving the block stops them, the last one first."""

    def __init__(self) -> None:
        self._running: list[Process] = []
        self._news = threading.Condition()

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        with held_back():
            while self._running:
                self._running.pop().stop()

    def start(self, name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Process:
        with held_back():  # else a process that has just been started could be forgotten
            process = Process(name, arguments, environment, self._news)
            self._running.append(process)
        return process

    def wait_for(self, process: Process, pattern: str, what: str, deadline: float) -> tuple[re.Match[str], float]:
        """Return the next line of a process that fits, and when it came.

        Raises NotSeen at the deadline, or as soon as any of the processes has ended.
        """
        with self._news:
            while (line := process.next_line(pattern)) is None:
                self._check_all_are_there(what)
                if not self._news.wait(deadline - time.monotonic()):
                    raise NotSeen(f"{what} (waited until the time was up)")
        return line

    def stay(self) -> None:
        """Wait until somebody ends the demo. Raises NotSeen when one of the processes ends."""
        with self._news:
            while True:
                self._check_all_are_there("the end of the demo")
                self._news.wait()

    def logs(self) -> Iterator[tuple[str, str]]:
        """Yield the names and logs of the processes that have ended; of all, if all are there."""
        for process in [p for p in self._running if p.has_ended] or self._running:
            yield process.name, process.log

    def _check_all_are_there(self, what: str) -> None:
        for process in self._running:
            if process.has_ended:
                raise NotSeen(f"{what} (the {process.name} has ended)")


def end_by_signals() -> None:
    """Let TERM and HUP end this process as Ctrl-C does: by a KeyboardInterrupt."""
    for number in ENDINGS:
        signal.signal(number, signal.default_int_handler)


@contextmanager
def held_back() -> Iterator[None]:
    """Let a signal wait until the block has ended. Processes that are started inside do not inherit this."""
    received: list[int] = []
    for number in ENDINGS:
        signal.signal(number, lambda number, _: received.append(number))
    try:
        yield
    finally:
        end_by_signals()
    if received:
        raise KeyboardInterrupt
