"""The jobs that the benchmarks enqueue."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from backburner import Job, JobHooks, job


@job
def noop(number: int) -> None:
    """Do nothing."""


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
