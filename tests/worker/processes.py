"""Jobs and a worker for tests with real processes: `python -m tests.worker.processes URL [options as JSON]`."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backburner import Backburner, job


@job
def append(path: str, text: str) -> None:
    """Append a line to a file."""
    with open(path, "a") as file:
        file.write(f"{text}\n")


@job
def wait_for(started: str, release: str) -> None:
    """Say in a pipe that the job runs, and go on until a file is there."""
    Path(started).write_text("started\n")
    while not Path(release).exists():
        threading.Event().wait(0.01)


@job
def spin_after(started: str) -> None:
    """Say in a pipe that the job runs, and keep Python busy for ever."""
    Path(started).write_text("started\n")
    while True:
        pass


@contextmanager
def worker_process(
    url: str, *, settings: dict[str, Any] | None = None, **options: Any
) -> Iterator[subprocess.Popen[str]]:
    """Run a worker process within the block; its log is on stderr."""
    arguments = [url, json.dumps(settings or {}), json.dumps(options)]
    command = [sys.executable, "-m", "tests.worker.processes", *arguments]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_log(process: subprocess.Popen[str], text: str) -> None:
    """Read the log of a worker process until it says this."""
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"the worker ended without saying {text!r}")


def pipe(folder: Path, name: str) -> str:
    """Make a named pipe: opening it for reading waits until somebody opens it for writing, and the other way round."""
    path = folder / name
    os.mkfifo(path)
    return str(path)


if __name__ == "__main__":
    from tests.worker import processes  # the jobs are known under this name, not as __main__  # noqa: F401

    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    app = Backburner(sys.argv[1], allow=["tests"], **json.loads(sys.argv[2]))
    app.worker(**json.loads(sys.argv[3])).run()
    app.close()
