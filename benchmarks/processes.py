"""Workers in processes of their own: `python -m benchmarks.processes drain|idle URL`.

`drain` waits for a line on stdin, performs until nothing is ready, and prints what it measured as JSON. `idle` prints a
line when it is ready and runs until its stdin is closed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

from benchmarks.measure import peak_memory


@dataclass(frozen=True, slots=True)
class Drained:
    """What several workers did together."""

    jobs: int
    seconds: float
    """From the start of the first to the end of the last."""
    memory: float
    """Of the biggest of them, in MiB."""


def drain(url: str, workers: int) -> Drained:
    """Let so many worker processes perform all that is ready."""
    processes = [start("drain", url) for _ in range(workers)]
    for process in processes:
        _read(process)
    for process in processes:
        _write(process, "go\n")
    reports = [json.loads(_read(process)) for process in processes]
    for process in processes:
        process.wait()
    began, ended = min(r["began"] for r in reports), max(r["ended"] for r in reports)
    return Drained(sum(r["jobs"] for r in reports), ended - began, max(r["memory"] for r in reports))


def start(role: str, url: str) -> subprocess.Popen[str]:
    """Start a worker process."""
    command = [sys.executable, "-m", "benchmarks.processes", role, url]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def stop(process: subprocess.Popen[str]) -> None:
    """End an idle worker."""
    if process.stdin is not None:
        process.stdin.close()
    process.wait()


def wait_until_ready(process: subprocess.Popen[str]) -> None:
    """Wait for the first line of a worker."""
    _read(process)


def _read(process: subprocess.Popen[str]) -> str:
    if process.stdout is None:
        raise ValueError("expected a process whose stdout is piped")
    return process.stdout.readline()


def _write(process: subprocess.Popen[str], text: str) -> None:
    if process.stdin is None:
        raise ValueError("expected a process whose stdin is piped")
    process.stdin.write(text)
    process.stdin.flush()


def _drain(app: Any) -> None:
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.time()
    jobs = 0
    worker = app.worker()
    while (counts := worker.work_off(limit=1_000_000)) != (0, 0):
        jobs += sum(counts)
    report = {"began": began, "ended": time.time(), "jobs": jobs, "memory": peak_memory()}
    print(json.dumps(report), flush=True)


def _idle(app: Any) -> None:
    worker = app.worker()
    app.after("loop")(_say_ready_once())

    def stop_at_end_of_input() -> None:
        sys.stdin.read()
        worker.stop()

    threading.Thread(target=stop_at_end_of_input, daemon=True).start()
    worker.run()


def _say_ready_once() -> Any:
    said = False

    def say(_worker: Any) -> None:
        nonlocal said
        if not said:
            said = True
            print("ready", flush=True)

    return say


def main() -> None:
    """Play the role that the command line names."""
    from backburner import Backburner

    role, url = sys.argv[1:]
    with Backburner(url, allow=["benchmarks"]) as app:
        {"drain": _drain, "idle": _idle}[role](app)


if __name__ == "__main__":
    main()
