"""Drivers that are written in Python, whose methods can be replaced: psycopg and PyMySQL."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from backburner.testing.faults.wrapping import COMMIT, Wrapped, awaited, awaited_end, wrapped, wrapped_end


def psycopg_methods() -> Iterator[Wrapped]:
    """Yield what is to be watched of psycopg, if the application uses it."""
    psycopg = sys.modules.get("psycopg")
    if psycopg is None:
        return
    for wrap, wrap_end, kind in ((wrapped, wrapped_end, ""), (awaited, awaited_end, "Async")):
        cursor, connection = getattr(psycopg, f"{kind}Cursor"), getattr(psycopg, f"{kind}Connection")
        transaction, leave = getattr(psycopg, f"{kind}Transaction"), "__aexit__" if kind else "__exit__"
        for name in ("execute", "executemany"):
            yield cursor, name, wrap(getattr(cursor, name), lambda self: self.connection)
        yield connection, "commit", wrap(connection.commit, lambda self: self, COMMIT)
        yield connection, leave, wrap_end(getattr(connection, leave), lambda self: self)
        yield transaction, leave, wrap_end(getattr(transaction, leave), lambda self: self.connection)


def pymysql_methods() -> Iterator[Wrapped]:
    """Yield what is to be watched of PyMySQL, if the application uses it."""
    connections = sys.modules.get("pymysql.connections")
    if connections is not None:
        cls = connections.Connection
        yield cls, "query", wrapped(cls.query, lambda self: self)
        yield cls, "commit", wrapped(cls.commit, lambda self: self, COMMIT)
