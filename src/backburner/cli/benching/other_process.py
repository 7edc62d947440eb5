"""A worker in another process, for which one has to enqueue as an application does.

The process is `python -m backburner.cli.benching.other_process`, or `bench --as-worker` of a framework's command. The
first line of its standard input says, in JSON, which app and which queue; it ends when its standard input does. It
writes a line when it is ready, and then what the jobs print.
"""

from __future__ import annotations

import json
import logging
import select
import subprocess
import sys
import threading
from argparse import Namespace
from contextlib import ExitStack, redirect_stdout
from types import TracebackType
from typing import IO, Any

from backburner.cli import output
from backburner.cli.again import is_command_of_another, program
from backburner.cli.apps import opened_app
from backburner.cli.benching.ground import Ground
from backburner.cli.parsing import UsageError
from backburner.core.errors import BackburnerError

PATIENCE = 10.0
"""Seconds in which the process is ready, and in which it performs a job."""


class OtherProcess:
    """A worker that serves one queue of the app which the command line names, until it is left."""

    def __init__(self, options: Namespace, queue: str) -> None:
        self._order = json.dumps({"app": options.app, "url": options.url, "queue": queue})
        self._process = subprocess.Popen(  # noqa: S603  # this module
            _command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # so that `select` sees all that there is to read
            start_new_session=True,  # Ctrl-C is for us, who end it
        )

    def __enter__(self) -> OtherProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        _pipe(self._process.stdin).close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _pipe(self._process.stdout).close()

    def start(self) -> bool:
        """Let it work, and say whether it waits for jobs now."""
        try:
            _pipe(self._process.stdin).write(self._order.encode() + b"\n")
        except BrokenPipeError:
            return False
        return self.hear() is not None

    def hear(self) -> str | None:
        """Wait for a line and return it; None when the process has ended or says nothing."""
        stdout = _pipe(self._process.stdout)
        if not select.select([stdout], [], [], PATIENCE)[0]:
            return None
        return stdout.readline().decode() or None


def _command() -> list[str]:
    if is_command_of_another():
        return [*program(), "bench", "--as-worker"]
    safe_path = ["-P"] if sys.flags.safe_path else []
    return [sys.executable, *safe_path, "-m", __name__]


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise TypeError("expected a process whose input and output are pipes")
    return pipe


def _serve(said: dict[str, Any]) -> None:
    with ExitStack() as stack:
        with redirect_stdout(sys.stderr):  # what the user's modules print when they are imported
            app = stack.enter_context(opened_app(Namespace(app=said["app"], url=said["url"])))
        _work(Ground(app, said["queue"]))


def _work(ground: Ground) -> None:
    worker = ground.worker()
    ready = threading.Event()

    def say_ready_once(_worker: object) -> None:
        if not ready.is_set():
            ready.set()
            print("ready", flush=True)

    def stop_with_input() -> None:
        sys.stdin.read()
        worker.stop()

    ground.parts.events.after("loop", say_ready_once)
    threading.Thread(target=stop_with_input, daemon=True).start()
    worker.run()


def main() -> int:
    """Serve until standard input ends."""
    logging.disable(logging.WARNING)  # the process that started this one has said it already
    try:
        _serve(json.loads(sys.stdin.readline()))
    except (UsageError, BackburnerError) as error:
        output.complain(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
