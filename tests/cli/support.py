"""Running the command line: in this process, as a process of its own, or as one at a terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from backburner import Backburner

PATIENCE = 30.0
"""Seconds to wait for something that should happen at once."""

BACKBURNER = (sys.executable, "-m", "backburner")


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[list[str]]:
        return [line.split("\t") for line in self.out.splitlines()]


def run(*args: str, cwd: Path, env: dict[str, str] | None = None, stdin: str = "") -> Result:
    """Run a command to its end, with pipes for stdout and stderr."""
    ended = subprocess.run(
        [*BACKBURNER, *args],
        cwd=cwd,
        env=environment(env),
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
        timeout=PATIENCE,
        check=False,
    )
    return Result(ended.returncode, ended.stdout, ended.stderr)


def environment(more: dict[str, str] | None = None) -> dict[str, str]:
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(more or {})}


class Running:
    """A command that runs; its stderr is read line by line."""

    def __init__(self, *args: str, cwd: Path) -> None:
        self._process = subprocess.Popen(
            [*BACKBURNER, *args],
            cwd=cwd,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._queue: Queue[str | None] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join(PATIENCE)
        assert not self._reader.is_alive(), f"its children outlive it; it has said: {self.lines}"
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()

    def wait_for(self, text: str) -> str:
        """Wait for a line on stderr that holds a text, and return it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                line = self._queue.get(timeout=max(deadline - time.monotonic(), 0))
            except Empty:
                raise AssertionError(f"no line with {text!r} in time; there were: {self.lines}") from None
            if line is None:
                raise AssertionError(f"it ended before a line with {text!r}; there were: {self.lines}")
            if text in line:
                return line

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> Result:
        """Wait for its end."""
        code = self._process.wait(timeout=PATIENCE)
        self._reader.join(PATIENCE)
        assert self._process.stdout is not None
        return Result(code, self._process.stdout.read(), "".join(self.lines))

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.lines.append(line)
            self._queue.put(line)
        self._queue.put(None)


def run_at_terminal(*args: str, cwd: Path, answer: str = "", columns: int = 80) -> tuple[int, str]:
    """Run a command at a terminal of its own and type an answer; return its exit code and what was to be seen."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*BACKBURNER, *args],
        cwd=cwd,
        env=environment({"COLUMNS": str(columns), "LINES": "24"}),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        close_fds=True,
    )
    os.close(slave)
    try:
        os.write(master, answer.encode())
        seen = _read_to_end(master)
        return process.wait(timeout=PATIENCE), seen.replace("\r\n", "\n")
    finally:
        process.kill()
        process.wait()
        os.close(master)


def _read_to_end(terminal: int) -> str:
    data = b""
    while select.select([terminal], [], [], PATIENCE)[0]:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        data += chunk
    return data.decode()


def make_newer(app: Backburner, here: Path) -> None:
    """Let the tables look as if a later version had made them."""
    app.migrate()
    connection = sqlite3.connect(here / "jobs.db")
    connection.execute(
        "INSERT INTO backburner_schema SELECT 99, 'from the future', 99, applied_at FROM backburner_schema"
    )
    connection.commit()
    connection.close()
