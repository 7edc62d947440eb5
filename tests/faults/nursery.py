"""Starts processes of these tests in a moment: a process that has imported everything forks for each of them.

`Nursery` is the side of the tests; the other one is `python -m tests.faults.nursery`. It is told an order in a line of
JSON, and says `started PID`, and `ended PID STATUS` when a child has ended, however. When it hears nothing any more it
kills its children and ends.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from typing import Self

from tests.faults.arming import VARIABLE as FAULTS
from tests.faults.history import VARIABLE as HISTORY
from tests.faults.process import Order, main
from tests.servers.keeping import ROOT

PATIENCE = 30.0
"""Seconds that anybody waits for a process."""

WRITING = 1.0
"""Seconds in which a process that has not ended writes down where each of its threads is."""


class Child:
    """A process that was started. It is killed with the nursery at the latest."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self.log = log
        self.status: int | None = None
        """How it ended: its exit code, or the signal that killed it, below zero."""
        self._ended = threading.Event()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended, as far as is known."""
        return not self._ended.is_set()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it is still there."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it, and wait until it has ended."""
        self.send(signal.SIGKILL)
        self.wait()

    def wait(self, timeout: float = PATIENCE) -> int:
        """Wait until it has ended; return how."""
        if not self._ended.wait(timeout) or self.status is None:
            self.send(signal.SIGUSR1)
            self._ended.wait(WRITING)
            raise TimeoutError(f"process {self.pid} is still there after {timeout} s:\n{self.log.read_text()[-6000:]}")
        return self.status

    def note_end(self, status: int) -> None:
        """Note that it has ended."""
        self.status = status
        self._ended.set()


class Nursery:
    """Where processes are started."""

    def __init__(self) -> None:
        self._started: SimpleQueue[Child] = SimpleQueue()
        self._children: dict[int, Child] = {}
        self._starting = threading.Lock()
        self._number = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen, name="nursery", daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._listener.join(PATIENCE)
        self._process.stdout.close()

    def start(self, order: Order, folder: Path, faults: str = "") -> Child:
        """Start a process that carries out an order, with faults at the points named.

        The folder is that of its history; what it logs is there as well.
        """
        assert self._process.stdin is not None
        with self._starting:
            self._number += 1
            log = folder / f"{self._number}.log"
            line = json.dumps({"order": asdict(order), "folder": str(folder), "faults": faults, "log": str(log)})
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
            child = self._started.get(timeout=PATIENCE)
        child.log = log
        return child

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            what, *numbers = line.split()
            pid, *status = map(int, numbers)
            if what == "started":
                self._children[pid] = child = Child(pid, Path(os.devnull))
                self._started.put(child)
            else:
                self._children.pop(pid).note_end(*status)


def serve() -> None:
    """Start children as long as there is anybody to say which, and tell how they end."""
    bells, bell = os.pipe()
    os.set_blocking(bell, False)
    signal.set_wakeup_fd(bell)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # only to be woken
    running: set[int] = set()
    buffer = b""
    while True:
        ready, _, _ = select.select([sys.stdin.fileno(), bells], [], [])
        if bells in ready:
            os.read(bells, 4096)
        for pid, status in list(ended(running)):
            running.discard(pid)
            say(f"ended {pid} {status}")
        if sys.stdin.fileno() in ready:
            piece = os.read(sys.stdin.fileno(), 65536)
            if not piece:
                break
            *lines, buffer = (buffer + piece).split(b"\n")
            for line in lines:
                running.add(pid := born(line))
                say(f"started {pid}")
    for pid in running:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def ended(running: set[int]) -> list[tuple[int, int]]:
    """Return which of the children have ended, and how."""
    found = []
    for pid in running:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            found.append((pid, os.waitstatus_to_exitcode(status)))
    return found


def born(line: bytes) -> int:
    """Fork a child that carries out what a line says; return its process id."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        told = json.loads(line)
        os.environ.update({HISTORY: told["folder"], FAULTS: told["faults"]})
        become(told["log"])
        main(Order(**told["order"]))
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(status)


def become(log: str) -> None:
    """Let go of what the nursery uses, and write what is said into a log."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number, target in ((0, nothing), (1, file), (2, file)):
        os.dup2(target, number)
    faulthandler.register(signal.SIGUSR1)


def say(text: str) -> None:
    """Tell the side of the tests."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def import_everything() -> None:
    """Import what the children are going to need."""
    import backburner.stores.sql.mysql.store
    import backburner.stores.sql.postgres.store
    import backburner.stores.sql.sqlite.store
    import backburner.worker.executors.loop
    import backburner.worker.worker  # noqa: F401


if __name__ == "__main__":
    import_everything()
    serve()
