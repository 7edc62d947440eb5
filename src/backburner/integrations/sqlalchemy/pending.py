"""Pending rows: how jobs wait in a session.

To a session they are a record that is new. So SQLAlchemy itself forgets them where it forgets new records: on a
rollback, also of a savepoint, on `close` and on `expunge_all`; and a session in which only jobs wait is not taken for
clean. The record is never inserted: before a flush it is taken out, and the jobs are written instead of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, Integer, Table, inspect
from sqlalchemy.orm import Mapper, registry

from backburner.core.job import Job

TABLE = "backburner_jobs"


class PendingJobs:
    """Jobs that wait for the next flush of a session."""

    def __init__(self, jobs: Iterable[Job[Any]]) -> None:
        self.jobs: list[Job[Any]] = list(jobs)


_registry = registry()
_table = Table(TABLE, _registry.metadata, Column("id", Integer, primary_key=True))


def mapper() -> Mapper[PendingJobs]:
    """Return the mapper; it is made anew when an application, or its tests, have cleared all mappers."""
    made: Mapper[PendingJobs] | None = inspect(PendingJobs, raiseerr=False)
    return _registry.map_imperatively(PendingJobs, _table) if made is None else made


mapper()
