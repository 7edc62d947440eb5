"""Connections of an application in whose open transaction a store may work."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from backburner.core.ops import Op
from backburner.core.ports import Store

T = TypeVar("T")

SAVEPOINT = "backburner_in_test"


class Lender(Protocol):
    """A transaction of the test's, as far as a store may work in it.

    Also for libraries whose driver is none of those below: `harness(app, connection=lender)`.
    """

    def run(self, store: Store, op: Op[T]) -> T:
        """Run an operation of a store in the transaction, all of it or nothing."""


class DriverLender:
    """A connection of sqlite3, psycopg or PyMySQL. A transaction is begun where none is open, and never ended.

    An operation that fails is undone alone, as if it were a transaction of its own. `connection` gives the connection
    as it is just now.
    """

    def __init__(self, connection: Callable[[], Any]) -> None:
        self._connection = connection

    def run(self, store: Store, op: Op[T]) -> T:
        """See `Lender.run`."""
        connection = self._connection()
        if not _begins_by_itself(connection):
            _execute(connection, "BEGIN")
        with _savepoint(connection):
            return store.run(op, connection)


def lender_of(connection: Any) -> Lender | None:
    """Return the lender that a connection or session is, or has; None when it is none that is known."""
    if _driver_of(connection) is not None:
        return DriverLender(lambda: connection)
    if callable(getattr(connection, "run", None)):
        lender: Lender = connection
        return lender
    current = _current_connection_of(connection)
    return None if current is None or _driver_of(current()) is None else DriverLender(current)


def _current_connection_of(source: Any) -> Callable[[], Any] | None:
    """Return what gives the driver's connection of a Session or Connection of SQLAlchemy's."""
    sqlalchemy = sys.modules.get("sqlalchemy")
    orm = sys.modules.get("sqlalchemy.orm")
    if orm is not None and isinstance(source, (orm.Session, orm.scoped_session)):
        return lambda: _flushed(source).connection().connection.driver_connection
    if sqlalchemy is not None and isinstance(source, sqlalchemy.Connection):
        return lambda: _begun(source).connection.driver_connection
    return None


def _flushed(session: Any) -> Any:
    """Write what is pending: jobs are, until then."""
    session.flush()
    return session


def _begun(connection: Any) -> Any:
    """Let SQLAlchemy know of the transaction, so that its `rollback` ends it."""
    if not connection.in_transaction():
        connection.begin()
    return connection


def _driver_of(connection: object) -> str | None:
    for module, name in (("sqlite3", "Connection"), ("psycopg", "Connection"), ("pymysql.connections", "Connection")):
        cls = getattr(sys.modules.get(module), name, None)
        if cls is not None and isinstance(connection, cls):
            return module
    return None


def _begins_by_itself(connection: Any) -> bool:
    """Say whether a transaction is open, or will be with the next statement."""
    match _driver_of(connection):
        case "sqlite3":
            return bool(connection.in_transaction)
        case "psycopg":
            return not connection.autocommit or connection.info.transaction_status.name != "IDLE"
        case _:
            from backburner.stores.sql.mysql.wires import is_in_transaction

            return not connection.get_autocommit() or is_in_transaction(connection)


@contextmanager
def _savepoint(connection: Any) -> Iterator[None]:
    _execute(connection, f"SAVEPOINT {SAVEPOINT}")
    try:
        yield
    except BaseException:
        _execute(connection, f"ROLLBACK TO SAVEPOINT {SAVEPOINT}")
        _execute(connection, f"RELEASE SAVEPOINT {SAVEPOINT}")
        raise
    _execute(connection, f"RELEASE SAVEPOINT {SAVEPOINT}")


def _execute(connection: Any, text: str) -> None:
    """Execute a statement without a cursor, as that may be of any kind."""
    execute = connection.query if _driver_of(connection) == "pymysql.connections" else connection.execute
    execute(text)
