"""One turn of one library: an empty place, a process that enqueues, and then a worker that is watched."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.catalogue import HERE, Peer
from benchmarks.peers.enqueuing import WARM_UP
from benchmarks.peers.job import MARKS
from benchmarks.peers.places import Places
from tests.servers import processes

ROOT = Path(__file__).parents[2]

PATIENCE = 60.0
"""Seconds that a worker has until its first job."""

LOOK_EVERY = 0.002

LOG_TAIL = 2_000
"""Characters."""


class WorkerFailed(Exception):
    """A worker ended, or did nothing; the message ends with its log."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What it gave, in jobs a second."""

    enqueued: float
    drained: float


def take_turn(peer: Peer, places: Places, jobs: int, seconds: float) -> Turn:
    """Enqueue so many jobs, and let a worker perform them; each takes so many seconds at the most."""
    with tempfile.TemporaryDirectory(prefix="backburner-peers-") as folder, places.fresh(peer.place) as url:
        marks = Path(folder) / "marks"
        marks.touch()
        environment = environment_of(url, marks)
        count, took = enqueued(peer, jobs, seconds, environment)
        with running(peer, url, environment, Path(folder) / "log") as worker:
            return Turn(count / took, _watched(worker, marks, count + WARM_UP, seconds))


def environment_of(url: str, marks: Path) -> dict[str, str]:
    """Return what the processes that enqueue and that perform are told."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PEERS_URL": url, MARKS: str(marks)}


def enqueued(
    peer: Peer, jobs: int, seconds: float, environment: Mapping[str, str], warm_up: int = WARM_UP
) -> tuple[int, float]:
    """Return how many jobs a process enqueued after those of the warm-up, and how long it took."""
    words = (f"{HERE}.{peer.module}", jobs, seconds, warm_up)
    command = [sys.executable, "-m", f"{HERE}.enqueuing", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WorkerFailed(f"enqueueing ended with {done.returncode}: {done.stderr[-LOG_TAIL:]}")
    count, took = done.stdout.split()[-2:]
    return int(count), float(took)


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker process, and what it wrote."""

    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raise WorkerFailed if it has ended."""
        if self.process.poll() is not None:
            raise WorkerFailed(f"the worker ended with {self.process.returncode}: {self.last_words}")

    @property
    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-LOG_TAIL:]


@contextmanager
def running(peer: Peer, url: str, environment: Mapping[str, str], log: Path) -> Iterator[Worker]:
    """Let a worker run within the block; then it is killed, with all processes that it has."""
    program, *words = peer.worker.format(module=f"{HERE}.{peer.module}", url=url).split()
    command = [str(Path(sys.executable).parent / program), *words]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        yield Worker(process, log)
    finally:
        processes.kill(process.pid)
        process.wait()


def _watched(worker: Worker, marks: Path, total: int, seconds: float) -> float:
    """Return jobs a second, from the last look that saw no mark until one that sees all, or until time is over."""
    done, began = 0, time.perf_counter()
    ended, deadline = began, began + PATIENCE
    while done < total and (not done or ended < began + seconds):
        if not done:
            began = ended
        worker.check()
        time.sleep(LOOK_EVERY)
        done, ended = marks.stat().st_size, time.perf_counter()
        if not done and ended > deadline:
            raise WorkerFailed(f"expected a job within {PATIENCE:.0f} s, got none: {worker.last_words}")
    return done / (ended - began)
