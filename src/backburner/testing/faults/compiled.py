"""Drivers that are written in C: sqlite3 and psycopg2.

Nothing can be changed about their connections. So those that are opened while this is going on are made of subclasses.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from functools import cache, wraps
from typing import Any

from backburner.testing.faults.wrapping import COMMIT, OURS, Wrapped, around


def sqlite_connects() -> Iterator[Wrapped]:
    """Yield what is to be watched of sqlite3."""
    connect = _watched_connect(sqlite3.connect, "factory", sqlite3.Connection, _SQLiteConnection)
    for module in (sqlite3, sqlite3.dbapi2):
        yield module, "connect", connect


def psycopg2_connects() -> Iterator[Wrapped]:
    """Yield what is to be watched of psycopg2, if the application uses it."""
    psycopg2 = sys.modules.get("psycopg2")
    if psycopg2 is not None:
        connect, ordinary = psycopg2.connect, psycopg2.extensions.connection
        yield psycopg2, "connect", _watched_connect(connect, "connection_factory", ordinary, _Psycopg2Connection)


def _watched_connect(connect: Callable[..., Any], option: str, ordinary: type, mixin: type) -> Callable[..., Any]:
    """Return a `connect` whose connections are watched, but for those of stores; `option` names their class."""

    @wraps(connect)
    def watched(*args: Any, **kwargs: Any) -> Any:
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if not caller.startswith(OURS):
            kwargs[option] = _mixed(mixin, kwargs.get(option) or ordinary)
        return connect(*args, **kwargs)

    return watched


@cache
def _mixed(mixin: type, cls: type) -> type:
    """Return a subclass of a driver's class, or of the application's own, which is watched."""
    return type(f"Watched{cls.__name__.capitalize()}", (mixin, cls), {"__module__": cls.__module__})


class _Connection:
    """What connections of both have in common."""

    def commit(self) -> None:
        with around(self, COMMIT):
            super().commit()  # type: ignore[misc]  # of the driver's class

    def __exit__(self, kind: Any, error: Any, at: Any) -> Any:
        leave = super().__exit__  # type: ignore[misc]
        if kind is not None:
            return leave(kind, error, at)
        with around(self, COMMIT):  # that is what it does, without asking the method above
            return leave(None, None, None)


class _Cursor:
    """What cursors of both have in common."""

    connection: Any

    def execute(self, text: Any, *parameters: Any) -> Any:
        with around(self.connection, text):
            return super().execute(text, *parameters)  # type: ignore[misc]  # of the driver's class

    def executemany(self, text: Any, *rows: Any) -> Any:
        with around(self.connection, text):
            return super().executemany(text, *rows)  # type: ignore[misc]


class _SQLiteCursor(_Cursor):
    def executescript(self, script: str) -> Any:
        with around(self.connection, script):
            return super().executescript(script)  # type: ignore[misc]


class _SQLiteConnection(_Connection):
    def cursor(self, factory: Any = sqlite3.Cursor) -> Any:
        made = _mixed(_SQLiteCursor, factory) if isinstance(factory, type) else factory
        return super().cursor(made)  # type: ignore[misc]

    def execute(self, sql: str, *parameters: Any) -> Any:
        return self.cursor().execute(sql, *parameters)

    def executemany(self, sql: str, *rows: Any) -> Any:
        return self.cursor().executemany(sql, *rows)

    def executescript(self, script: str) -> Any:
        return self.cursor().executescript(script)


class _Psycopg2Cursor(_Cursor):
    def callproc(self, name: str, *parameters: Any) -> Any:
        with around(self.connection, name):
            return super().callproc(name, *parameters)  # type: ignore[misc]


class _Psycopg2Connection(_Connection):
    cursor_factory: Any

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        ordinary = sys.modules["psycopg2"].extensions.cursor
        factory = kwargs.get("cursor_factory") or self.cursor_factory or ordinary
        return super().cursor(*args, **{**kwargs, "cursor_factory": _mixed(_Psycopg2Cursor, factory)})  # type: ignore[misc]
