"""A store all of whose operations run on one connection of the test's, inside of the transaction that is open there."""

from __future__ import annotations

from dataclasses import replace
from threading import RLock
from typing import Any, TypeVar, cast

from backburner.core.errors import ConfigurationError
from backburner.core.ops import Op
from backburner.core.ports import Capabilities, Store
from backburner.stores.postponed import Postponed
from backburner.stores.watching import LocalWatch, Watches
from backburner.testing.lenders import Lender, lender_of

T = TypeVar("T")


class LentStore:
    """A store, on a connection. What is not here is that of the store itself."""

    def __init__(self, store: Store, lender: Lender, lent: object) -> None:
        self._store = store
        self._lender = lender
        self._lent = lent
        self._lock = RLock()
        self._watches = Watches()
        self.capabilities: Capabilities = replace(store.capabilities, overlaps=False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def run(self, op: Op[T], connection: object | None = None) -> T:
        """See `Store.run`."""
        if connection is not None and connection is not self._lent:
            return self._store.run(op, connection)
        with self._lock:
            return self._lender.run(self._store, op)

    async def arun(self, op: Op[T], connection: object | None = None) -> T:
        """See `Store.arun`; the event loop waits, as the connection is the test's."""
        if connection is not None and connection is not self._lent:
            return await self._store.arun(op, connection)
        return self.run(op)

    def begin(self, op: Op[T]) -> Postponed[T]:
        """See `Store.begin`."""
        return Postponed(self.run, op)

    def watch(self) -> LocalWatch:
        """See `Store.watch`."""
        watch = LocalWatch(self._watches)
        self._watches.add(watch)
        return watch

    def notify(self, connection: object | None = None) -> None:  # noqa: ARG002  # nobody else sees what is not committed
        """See `Store.notify`."""
        self._watches.wake_all()


def lent(store: Store, connection: object) -> Store:
    """Return a store that works on a connection, in a session of SQLAlchemy's, or by a lender.

    Raises ConfigurationError for anything else, and for a store that is in no database which connections lead to.
    """
    if not store.capabilities.joins_connections:
        raise ConfigurationError(
            f"expected an app whose jobs are in the database that connection= leads to, got one with {store.url}: "
            "make it with the URL of that database (the fixture is backburner_app)"
        )
    lender = lender_of(connection)
    if lender is None:
        kind = type(connection)
        raise ConfigurationError(
            "expected connection= to be a connection of sqlite3, psycopg or PyMySQL, or a Session or Connection of "
            f"SQLAlchemy on one of these, got {kind.__module__}.{kind.__qualname__}"
        )
    return cast(Store, LentStore(store, lender, connection))
