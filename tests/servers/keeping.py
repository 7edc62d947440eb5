"""The run that servers belong to, and a server process in it."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import os
import pwd
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from tests.servers import processes
from tests.servers.keeper import SOCKET, Order

ROOT = Path(__file__).parents[2]
START_TIMEOUT = 40.0
END_TIMEOUT = 30.0
LOG_TAIL = 3000
# Below the ports that systems give to outgoing connections: a server that was stopped finds its port free.
PORTS = range(20000, 32000)


class ServerFailed(Exception):
    """A server is there, and does not do what was asked; the message ends with its log."""


class Run:
    """A folder for servers and the keeper who ends them and removes it when this process has ended, however it does."""

    def __init__(self, folder: Path, keeper: subprocess.Popen[bytes] | None = None) -> None:
        self.folder = folder
        self.keeper = keeper

    @classmethod
    def start(cls) -> Run:
        folder = Path(tempfile.mkdtemp(prefix="backburner-"))
        folder.chmod(0o711)  # the users of the servers reach their folders in it
        keeper = subprocess.Popen(
            [sys.executable, "-S", "-m", "tests.servers.keeper", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,
        )
        assert keeper.stdout is not None
        if keeper.stdout.readline() != b"ready\n":
            raise ServerFailed("the keeper of the test servers did not start")
        return cls(folder, keeper)

    def close(self) -> None:
        """End all servers and remove the folder."""
        if self.keeper is not None and self.keeper.stdin is not None and self.keeper.stdout is not None:
            self.keeper.stdin.close()
            self.keeper.wait()
            self.keeper.stdout.close()
            self.keeper = None

    def make_folder(self, name: str, user: str | None) -> Path:
        """Return a new folder that belongs to a user."""
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))
        if user is not None:
            account = pwd.getpwnam(user)
            os.chown(folder, account.pw_uid, account.pw_gid)
        return folder

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what `make` makes for all processes of this run: the first one calls it, the others get its value."""
        made = self.folder / f"{name}.json"
        with self.locked(name):
            if not made.exists():
                made.write_text(json.dumps(make()))
            return json.loads(made.read_text())

    @contextlib.contextmanager
    def locked(self, name: str) -> Iterator[None]:
        with open(self.folder / f"{name}.lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


_run: Run | None = None
_starting = threading.Lock()


def current_run() -> Run:
    """Return the run of this process, which begins when the first server is needed."""
    global _run
    with _starting:
        if _run is None:
            _run = Run.start()
            atexit.register(_run.close)
        return _run


def join_run(folder: str) -> None:
    """Use the run of another process, which ends when that process does."""
    global _run
    _run = Run(Path(folder))


def end_run() -> None:
    """End the run of this process if there is one."""
    global _run
    with _starting:
        if _run is not None:
            _run.close()
            _run = None


class Daemon:
    """A server process. It ends when this process does, or with the run if it is shared."""

    def __init__(self, run: Run, order: Order) -> None:
        self.run = run
        self.order = order
        self.pid = 0
        self.connection: socket.socket | None = None

    @property
    def running(self) -> bool:
        return self.connection is not None

    def start(self) -> None:
        """Return when the server has said that it is ready; raise ServerFailed with its log if it ends before."""
        assert not self.running, "it has been started already"
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.connect(str(self.run.folder / SOCKET))
        self.connection.sendall(self.order.to_line())
        self.messages = self.connection.makefile("r")
        told = self.await_message("ready", START_TIMEOUT)
        if "ready" not in told:
            self.leave()
            raise ServerFailed(f"{Path(self.order.command[0]).name} did not start: {told}\n{self.log()}")

    def signal(self, number: int) -> None:
        assert self.running, "it is not running"
        processes.send([self.pid], number)

    def wait(self) -> int:
        """Return the exit code when the server has ended."""
        told = self.await_message("ended", END_TIMEOUT)
        self.leave()
        return int(told["ended"])

    def kill(self) -> None:
        """Kill the server and all its processes in the middle of what they do."""
        assert self.running, "it is not running"
        processes.kill(self.pid)
        self.wait()

    def pause(self) -> None:
        """Stop all its processes where they are: connections stay open and nobody answers."""
        processes.freeze(self.pid)

    def resume(self) -> None:
        processes.thaw(self.pid)

    def leave(self) -> None:
        """Let go of the server: the keeper ends it, unless it is shared."""
        if self.connection is not None:
            self.messages.close()
            self.connection.close()
            self.connection = None

    def await_message(self, name: str, timeout: float) -> dict[str, Any]:
        assert self.connection is not None
        self.connection.settimeout(timeout)
        for line in self.messages:
            told = json.loads(line)
            self.pid = told.get("started", self.pid)
            if name in told or "ended" in told or "failed" in told:
                return dict(told)
        raise ServerFailed(f"the keeper of the test servers has gone\n{self.log()}")

    def log(self) -> str:
        """Return the end of the server's log."""
        path = Path(self.order.log)
        return path.read_text(errors="replace")[-LOG_TAIL:] if path.exists() else "(no log)"


def free_port() -> int:
    for port in random.sample(PORTS, 100):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise ServerFailed("no free port was found")


def run_as(user: str | None, *command: str | Path, cwd: Path, stdin: IO[str] | int = subprocess.DEVNULL) -> None:
    """Run a program that prepares a server; raise ServerFailed with its output if it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        check=False,
        cwd=cwd,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **processes.identity(user),
    )
    if done.returncode:
        raise ServerFailed(f"{Path(command[0]).name} failed with {done.returncode}\n{done.stdout[-LOG_TAIL:]}")


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
