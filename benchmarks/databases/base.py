"""What the workloads ask of a database."""

from __future__ import annotations

import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from itertools import count
from pathlib import Path
from typing import Any

from backburner import Backburner
from backburner.worker.prefetch import MOST
from benchmarks.targets import Targets

BATCH = MOST
"""Jobs in one claim of a floor: as many as a worker claims when jobs are short."""

HANDLER = '{"v":1,"call":{"function":"benchmarks.jobs:noop","args":[1]}}'

HOUR = 3_600_000_000
"""Microseconds."""


class Filling(Enum):
    """Jobs with which a table is filled, none of which is in the way of those that are measured."""

    READY = "ready"
    """Older than the others, and performed with them."""
    FUTURE = "of the future"
    FAILED = "failed"
    OTHER_QUEUE = "of another queue"
    """Ready, in a queue that the worker does not serve."""


class Floors(ABC):
    """What the bare driver needs for the same writes, on the same tables.

    The floors do the least that the work needs: no payloads, no hooks, no checks. They are what an application would
    write that knows its queue, its priority and its handler beforehand.
    """

    one_by_one_name: str

    @abstractmethod
    def one_by_one(self) -> AbstractContextManager[Callable[[], object]]:
        """Open a connection, and give what INSERTs a job there and COMMITs."""

    @property
    @abstractmethod
    def bulks(self) -> Mapping[str, Callable[[int], None]]:
        """Ways to store many jobs in one transaction, by their names; the first is what ours is compared with."""

    def store(self, jobs: int) -> None:
        """Store many jobs, in whatever way."""
        next(iter(self.bulks.values()))(jobs)

    @property
    @abstractmethod
    def drains(self) -> Mapping[str, Callable[[int], int]]:
        """Ways to claim and remove jobs, so many at a time, until there are none, by their names.

        Each returns how many jobs that were. Ours is compared with the first. One of them keeps jobs as history, as
        ours does, and one does only the least there is to do: claim and DELETE.
        """

    @abstractmethod
    def connect(self) -> Any:
        """Return a connection as an application has one, which commits when it is told to."""

    @abstractmethod
    def insert_order(self, connection: Any, number: int) -> None:
        """Do what the application's own transaction is about: INSERT a row of its own."""

    @abstractmethod
    def insert_job(self, connection: Any) -> None:
        """INSERT a job on such a connection."""


@dataclass(frozen=True, slots=True)
class Place:
    """An empty database with our tables in it."""

    app: Backburner
    url: str
    """With the password, if there is one."""
    folder: Path
    """For files that jobs write."""
    floors: Floors


class Database(ABC):
    """A kind of database, on one server."""

    name: str
    targets: Targets

    @property
    @abstractmethod
    def description(self) -> str:
        """The version, and what it was told that matters here."""

    @abstractmethod
    def fresh(self) -> AbstractContextManager[Place]:
        """Make an empty database with our tables in it, and remove it afterwards."""

    @abstractmethod
    def fill(self, place: Place, filling: Filling, jobs: int) -> None:
        """Put jobs into the table, as fast as the database can."""

    def settle(self, place: Place) -> None:  # noqa: B027  # not every database has to
        """Let the database do now what it would do later because of what was written, so that it is not measured."""

    @abstractmethod
    def held_back(self, place: Place) -> AbstractContextManager[None]:
        """Hold a transaction open that keeps the database from forgetting old versions of rows."""

    def watch_queries(self, place: Place) -> None:  # noqa: B027  # not every database has to
        """Let the server count what it is asked on connections that are opened from now on."""

    def queries(self) -> int | None:
        """Return how many queries were counted so far, those aside that begin or end a transaction.

        None where nobody counts.
        """
        return None

    def server_seconds(self) -> float | None:
        """Return the processor time that the server has used; None when there is none, or on another machine."""
        return None


_numbers = count()


def new_id() -> uuid.UUID:
    """Return an id that is greater than those before it, as those of jobs are."""
    return uuid.UUID(int=now() << 64 | next(_numbers))


def now() -> int:
    """Return the time in microseconds."""
    return int(time.time() * 1_000_000)
