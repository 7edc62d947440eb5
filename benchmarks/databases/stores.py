"""Which databases there are, by what they are called on the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

from benchmarks.databases import mariadb, postgres
from benchmarks.databases.base import Database
from benchmarks.databases.sqlite import SQLiteDatabase


class Kind(NamedTuple):
    """How a kind of database is called, and how one is had at a URL or without."""

    name: str
    schemes: tuple[str, ...]
    """Of the URLs of its servers."""
    open: Callable[[float, str | None], AbstractContextManager[Database]]


@contextmanager
def _sqlite(speed: float, _url: str | None) -> Iterator[Database]:
    yield SQLiteDatabase(speed)


STORES = {
    "sqlite": Kind("SQLite", (), _sqlite),
    "postgres": Kind("PostgreSQL", ("postgresql", "postgres"), postgres.opened),
    "mariadb": Kind("MariaDB", ("mysql", "mariadb"), mariadb.opened),
}


def name_of(store: str) -> str:
    """Return what people call it."""
    return STORES[store].name


def store_of(url: str) -> str:
    """Return the store whose servers have such URLs. Raises ValueError."""
    scheme = url.partition("://")[0]
    for store, kind in STORES.items():
        if scheme in kind.schemes:
            return store
    raise ValueError(f"expected the URL of a PostgreSQL or MariaDB server, got one that begins with {scheme}://")


def database_at(store: str, url: str | None, speed: float) -> AbstractContextManager[Database]:
    """Use the server of a URL, or one that is started. Raises ServerMissing, NotDurable."""
    return STORES[store].open(speed, url)
