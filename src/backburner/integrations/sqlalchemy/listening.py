"""The listeners to sessions. There is one of each, for all sessions of the process: most have nothing of ours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from backburner.integrations.sqlalchemy.account import Account
from backburner.integrations.sqlalchemy.clerk import Clerk

KEY = "backburner"
"""Where a session keeps our accounts, in its `info`."""


def account_of(session: Session, clerk: Clerk) -> Account:
    """Return the account of an app in a session."""
    accounts: dict[Clerk, Account] = session.info.setdefault(KEY, {})
    account = accounts.get(clerk)
    if account is None:
        account = accounts[clerk] = Account(clerk)
    return account


def _accounts(session: Session) -> Iterable[Account]:
    accounts: dict[Clerk, Account] | None = session.info.get(KEY)
    return () if accounts is None else tuple(accounts.values())


@event.listens_for(Session, "before_flush")
def _before_flush(session: Session, context: Any, instances: Any) -> None:  # noqa: ARG001
    for account in _accounts(session):
        account.flush_begins(session)


@event.listens_for(Session, "after_flush_postexec")
def _after_flush(session: Session, context: Any) -> None:  # noqa: ARG001
    for account in _accounts(session):
        account.flush_ends(session)


@event.listens_for(Session, "after_commit")
def _after_commit(session: Session) -> None:
    for account in _accounts(session):
        account.committed(session)


@event.listens_for(Session, "after_transaction_end")
def _after_transaction_end(session: Session, transaction: SessionTransaction) -> None:
    # Not sooner: here the session is usable again, whatever is raised, and its connection is free.
    for account in _accounts(session):
        account.ended(transaction)
