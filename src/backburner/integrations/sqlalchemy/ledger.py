"""What is to be done about jobs when a transaction of a session ends: one page for it, and one for each savepoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session, SessionTransaction

from backburner.core.job import Job


@dataclass(slots=True, eq=False)
class Witness:
    """Has seen what was done in a transaction or savepoint, and notes that it was committed for good."""

    has_seen_commit: bool = False


@dataclass(slots=True)
class Page:
    """What belongs to one transaction, or to one savepoint, and is forgotten when that is rolled back."""

    late: list[Job[Any]] = field(default_factory=list)
    """Jobs about records that get their keys in the flush that is going on."""
    written: bool = False
    """Whether jobs were written: workers are told after the commit."""
    leaving: list[Job[Any]] = field(default_factory=list)
    """Jobs that are enqueued after the commit, since the store is no database of this session."""
    witnesses: list[Witness] = field(default_factory=list)

    def take_in(self, inner: Page) -> None:
        """Take over what a savepoint leaves that has ended well."""
        self.late += inner.late
        self.written |= inner.written
        self.leaving += inner.leaving
        self.witnesses += inner.witnesses


class Ledger:
    """The pages of one session, for one app."""

    def __init__(self) -> None:
        self._pages: dict[SessionTransaction, Page] = {}
        self._committed: Page | None = None

    def page(self, session: Session) -> Page:
        """Return the page of the transaction, or savepoint, that a session is in."""
        return self._pages.setdefault(_innermost(session), Page())

    def find(self, session: Session) -> Page | None:
        """Return the page of the transaction, or savepoint, that a session is in, if anything is written on it."""
        return self._pages.get(_innermost(session)) if self._pages else None

    def note_commit(self, session: Session) -> None:
        """Take note that the innermost transaction or savepoint of a session was committed."""
        transaction = _innermost(session)
        page = self._pages.pop(transaction, None)
        if page is None:
            return
        outer = transaction.parent
        if outer is None:
            self._committed = page
        else:
            self._pages.setdefault(outer, Page()).take_in(page)

    def stands(self, witness: Witness) -> bool:
        """Say whether what a witness has seen still stands: no rollback has undone it."""
        return witness.has_seen_commit or any(witness in page.witnesses for page in self._pages.values())

    def end(self, transaction: SessionTransaction) -> Page | None:
        """Forget a transaction that has ended; return what is to be done after its commit, if there was one."""
        self._pages.pop(transaction, None)
        if transaction.parent is not None:
            return None
        page, self._committed = self._committed, None
        for witness in page.witnesses if page is not None else ():
            witness.has_seen_commit = True
        return page


def _innermost(session: Session) -> SessionTransaction:
    """Return the savepoint or the transaction that a session is in; what only spans a flush does not count."""
    return session.get_nested_transaction() or session.get_transaction() or session.begin()
