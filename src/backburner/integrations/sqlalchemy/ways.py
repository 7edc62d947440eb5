"""Which of the application's connections lead to the store's own database, and how statements go through them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.exc import UnboundExecutionError
from sqlalchemy.orm import Session

from backburner.core.ops import Reply, Statement
from backburner.core.ports import Store
from backburner.integrations.sqlalchemy.marks import translated
from backburner.integrations.sqlalchemy.pending import mapper as jobs_mapper

KINDS = {"mariadb": "mysql"}
"""What a database is called by the other, where the names differ."""


def executor(connection: Connection) -> Callable[[Statement], Reply]:
    """Return a function that executes the store's statements on a connection of SQLAlchemy's."""

    def execute(statement: Statement) -> Reply:
        result = connection.exec_driver_sql(*translated(statement, connection.dialect))
        rows = [tuple(row) for row in result] if result.returns_rows else []
        return Reply(rows, result.rowcount)

    return execute


class Ways:
    """Knows which connections lead to one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kind = _kind(store.url.partition(":")[0])
        # By dialect: an engine has one for life, and shares it with the engines that are made of it by options.
        self._known: WeakKeyDictionary[Dialect, bool] = WeakKeyDictionary()

    def lead(self, connection: Connection) -> bool:
        """Say whether a connection leads to the store; it is asked once for each engine."""
        known = self._known.get(connection.dialect)
        if known is None:
            known = self._may_lead(connection) and self._store.leads_here(executor(connection))
            self._known[connection.dialect] = known
        return known

    def connection_of(self, session: Session) -> Connection | None:
        """Return the connection of a session's transaction to the store; None when none of its databases is that one.

        Databases that are not yet known are asked, as part of the transaction, which they join by that.
        """
        for bind in self._binds(session):
            if self._may_lead(bind):
                connection = session.connection(bind_arguments={"bind": bind})
                if self.lead(connection):
                    return connection
        return None

    def _binds(self, session: Session) -> Iterator[Engine | Connection]:
        """Return the session's databases, the likeliest first."""
        if self._store.capabilities.joins_connections:
            with suppress(UnboundExecutionError):
                yield session.get_bind(jobs_mapper())
            yield from _own_binds(session)
            for mapper in {state.mapper for state in session.identity_map.all_states()}:
                with suppress(UnboundExecutionError):
                    yield session.get_bind(mapper)  # may be decided by the session's class

    def _may_lead(self, bind: Engine | Connection) -> bool:
        """Say whether a bind is not known to lead elsewhere. The wrong kind of database must not even be asked."""
        joins = self._store.capabilities.joins_connections
        return joins and _kind(bind.dialect.name) == self._kind and self._known.get(bind.dialect, True)


def _own_binds(session: Session) -> Sequence[Engine | Connection]:
    """Return what a session was given as `binds`; there is a public name for it only from SQLAlchemy 2.1 on."""
    known = vars(session)
    binds = known.get("binds") or known.get("_Session__binds") or {}
    return list(dict.fromkeys(binds.values()))


def _kind(name: str) -> str:
    return KINDS.get(name, name)
