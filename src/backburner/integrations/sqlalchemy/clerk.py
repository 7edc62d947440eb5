"""Writing the jobs of one app: into its store, on connections of SQLAlchemy's where those lead there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session
from sqlalchemy.util.concurrency import await_only, in_greenlet

from backburner.core.job import Job
from backburner.core.ops import Reply, Statement
from backburner.core.ports import Store
from backburner.integrations.sqlalchemy.ledger import Page
from backburner.integrations.sqlalchemy.ways import Ways, executor

if TYPE_CHECKING:
    from backburner.app import Backburner


class Clerk:
    """Writes the jobs of one app."""

    def __init__(self, app: Backburner) -> None:
        self._app = app
        self.ways: Ways = Ways(app.store)

    @property
    def store(self) -> Store:
        """Where the jobs are kept."""
        return self._app.store

    def write(self, session: Session, jobs: Sequence[Job[Any]], page: Page) -> None:
        """Write jobs in the transaction of a session; when none of its databases is the store, after the commit.

        Raises UnsavedRecord when a record that a job is about has not been saved meanwhile.
        """
        for job in jobs:
            if job.late:
                job.handler, job.late = self._app.codec.fill(job.handler, job.late), ()
        connection = self.ways.connection_of(session)
        if connection is None:
            page.leaving += jobs
        else:
            self.write_on(connection, jobs)
            page.written = True

    def write_on(self, connection: Connection, jobs: Sequence[Job[Any]]) -> None:
        """Write jobs in the transaction of a connection that leads to the store."""
        execute: Callable[[Statement], Reply] = executor(connection)
        self.store.run_by(self.store.enqueue(jobs), execute)

    def finish(self, page: Page) -> None:
        """Do what is to be done after a commit."""
        store = self.store
        if page.leaving:
            if _may_await():
                await_only(store.arun(store.enqueue(page.leaving)))
            else:
                store.run(store.enqueue(page.leaving))
        store.notify()


def _may_await() -> bool:
    """Say whether this is the inside of an AsyncSession: then an event loop must not be blocked.

    Without asyncio, SQLAlchemy needs no greenlets, and they may not even be installed.
    """
    return sys.modules.get("greenlet") is not None and bool(in_greenlet())
