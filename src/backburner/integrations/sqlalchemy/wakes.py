"""Waking workers after the commit of a connection that is used without a session.

SQLAlchemy tells of a commit before it happens, and a worker that is woken too soon finds nothing and goes to sleep. So
workers are woken when the connection goes back to its pool, which is nearly always what follows the commit.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.pool import Pool

from backburner.core.ports import Store

KEY = "backburner"
"""Where a connection's record in its pool keeps the stores that have got jobs through it."""

_known: WeakSet[Pool] = WeakSet()


def wake_later(connection: Connection, store: Store) -> None:
    """Wake the workers of a store when a connection is given back."""
    pool = connection.engine.pool
    if pool not in _known:
        _known.add(pool)
        event.listen(pool, "checkin", _wake)
    connection.info.setdefault(KEY, set()).add(store)


def _wake(_: Any, record: Any) -> None:
    for store in record.info.pop(KEY, ()):
        store.notify()
