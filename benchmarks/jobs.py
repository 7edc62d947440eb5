"""The jobs that the benchmarks enqueue."""

from __future__ import annotations

import asyncio
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from backburner import Job, JobHooks, job

WAIT = 0.01
"""Seconds that the jobs which wait do so."""

marks: list[float] = []
"""When each `mark` was performed in this process."""


@job
def noop(number: int) -> None:
    """Do nothing."""


@job
def mark(number: int) -> None:  # noqa: ARG001  # all jobs have numbers
    """Note the time in the worker's memory."""
    marks.append(time.perf_counter())


@job
def wait(number: int) -> None:  # noqa: ARG001  # all jobs have numbers
    """Wait, as for a reply from elsewhere."""
    time.sleep(WAIT)


@job
async def wait_async(number: int) -> None:  # noqa: ARG001  # all jobs have numbers
    """Wait without keeping a thread."""
    await asyncio.sleep(WAIT)


@dataclass
class NoopObject(JobHooks):
    """Do nothing, with every hook of a successful attempt."""

    number: int

    def before(self, job: Job[None]) -> None:
        """Do nothing."""

    def perform(self) -> None:
        """Do nothing."""

    def success(self, job: Job[None]) -> None:
        """Do nothing."""

    def after(self, job: Job[None]) -> None:
        """Do nothing."""


@job
def note_latency(sent: float, path: str) -> None:
    """Append how long it took from enqueue to perform, by the clock of this machine."""
    with Path(path).open("a") as file:
        file.write(f"{time.time() - sent}\n")


@job
def note_number(number: int, folder: str) -> None:
    """Append the number to a file of this process, so that every performance of every job is counted."""
    with (Path(folder) / f"{os.getpid()}.txt").open("a") as file:
        file.write(json.dumps(number) + "\n")
