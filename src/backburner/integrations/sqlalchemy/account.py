"""How the jobs of one app become part of the transactions of one session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import Session, SessionTransaction

from backburner.authoring.bulk import Stands
from backburner.core.job import Job
from backburner.integrations.sqlalchemy.clerk import Clerk
from backburner.integrations.sqlalchemy.ledger import Ledger, Witness
from backburner.integrations.sqlalchemy.pending import PendingJobs, mapper


class Account:
    """The jobs of one app in one session: those that wait for a flush, and what is to be done after the commit.

    The session is not kept here, but passed to each method: it is the session that keeps this.
    """

    def __init__(self, clerk: Clerk) -> None:
        self._clerk = clerk
        self._pending: PendingJobs | None = None
        self._ledger = Ledger()

    def put(self, session: Session, jobs: Sequence[Job[Any]]) -> None:
        """Make jobs part of the session's transaction. They are written when the session flushes; no I/O before that.

        While it flushes already, as listeners of mappers and sessions see it, they are written at once.
        """
        if not session._flushing:
            self._let_wait(session, jobs)
            return
        self._write(session, [job for job in jobs if not job.late])
        # Their records may have been met before this flush or in it: if need be, the next one is waited for.
        self._ledger.page(session).late += [job for job in jobs if job.late]

    def witness(self, session: Session) -> Stands:
        """Return what says later whether what is done now in the session's transaction still stands."""
        witness = Witness()
        self._ledger.page(session).witnesses.append(witness)
        return lambda: self._ledger.stands(witness)

    def flush_begins(self, session: Session) -> None:
        """Write the jobs that wait, but for those about records that get their keys in this flush."""
        pending, self._pending = self._pending, None
        if pending is None or pending not in session:
            return  # there was a rollback, or whatever else a session forgets new records by
        session.expunge(pending)
        late = [job for job in pending.jobs if _waits(session, job)]
        try:
            self._write(session, _without(pending.jobs, late))
        except BaseException:
            self._let_wait(session, pending.jobs)  # not lost to those who go on all the same
            raise
        if late:
            self._ledger.page(session).late += late

    def flush_ends(self, session: Session) -> None:
        """Write the jobs about records that have got their keys."""
        page = self._ledger.find(session)
        if page is None or not page.late:
            return
        jobs, page.late = page.late, []
        late = [job for job in jobs if _waits(session, job)]
        self._write(session, _without(jobs, late))
        if late:
            self._let_wait(session, late)

    def committed(self, session: Session) -> None:
        """Take note of a commit, or of the good end of a savepoint."""
        self._ledger.note_commit(session)

    def ended(self, transaction: SessionTransaction) -> None:
        """After a commit, let workers know of the jobs and enqueue those that could not be part of it."""
        page = self._ledger.end(transaction)
        if page is not None:
            self._clerk.finish(page)

    def _let_wait(self, session: Session, jobs: Iterable[Job[Any]]) -> None:
        pending = self._pending
        if pending is not None and pending in session:
            pending.jobs.extend(jobs)
            return
        mapper()
        self._pending = PendingJobs(jobs)
        session.add(self._pending)

    def _write(self, session: Session, jobs: Sequence[Job[Any]]) -> None:
        if jobs:
            self._clerk.write(session, jobs, self._ledger.page(session))


def _waits(session: Session, job: Job[Any]) -> bool:
    """Say whether a job is about a record that the session has not written yet."""
    return any(inspect(late.record).pending and late.record in session for late in job.late)


def _without(jobs: Sequence[Job[Any]], others: Sequence[Job[Any]]) -> Sequence[Job[Any]]:
    if not others:
        return jobs
    left_out = set(map(id, others))
    return [job for job in jobs if id(job) not in left_out]
