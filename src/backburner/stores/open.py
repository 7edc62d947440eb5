"""From a URL to a store."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from backburner.core.errors import ConfigurationError
from backburner.core.ports import Store

Clock = Callable[[], datetime]

EXPECTED = (
    "memory://, sqlite:///relative.db, sqlite:////absolute.db, postgresql://user:password@host/database, "
    "mysql://user:password@host/database"
)
OTHER_DATABASES = frozenset({"redis", "rediss", "valkey", "valkeys"})
"""Databases that people may expect here, and that have no store in this version."""

MYSQL_DRIVERS = frozenset(
    {"", "pymysql", "mysqldb", "mysqlconnector", "mariadbconnector", "aiomysql", "asyncmy", "pyodbc"}
)
"""What may stand in a URL of SQLAlchemy's."""


class StoreURL(NamedTuple):
    """The parts of a URL that say where a store is."""

    database: str
    driver: str
    path: str
    options: dict[str, str]
    shown: str
    """The whole URL as it may be shown: without a password."""


def open_store(url: str, *, clock: Clock | None = None) -> Store:
    """Make the store that a URL names; `clock` replaces the machine's clock.

    Nothing is opened or written before the first use. Raises ConfigurationError.
    """
    parts = parse_url(url)
    match parts.database:
        case "memory":
            return _open_memory(parts, clock)
        case "sqlite":
            return _open_sqlite(parts, clock)
        case "postgresql" | "postgres":
            return _open_postgres(url, parts, clock)
        case "mysql" | "mariadb":
            return _open_mysql(url, parts, clock)
        case database if database in OTHER_DATABASES:
            raise ConfigurationError(
                f"this version of backburner has no store for {database}: expected {EXPECTED}, got {parts.shown!r}"
            )
    raise _not_understood(parts.shown)


def parse_url(url: str) -> StoreURL:
    """Take a URL to pieces. Raises ConfigurationError when it is none."""
    from urllib.parse import unquote

    found = re.fullmatch(r"([A-Za-z][A-Za-z0-9.+-]*)://([^?]*)(?:\?(.*))?", url) if isinstance(url, str) else None
    if found is None:
        raise _not_understood(_masked(str(url)))
    scheme, path, query = found.groups()
    database, _, driver = scheme.lower().partition("+")
    return StoreURL(database, driver, unquote(path), _options(query or "", url), _masked(url))


def _options(query: str, url: str) -> dict[str, str]:
    from urllib.parse import parse_qsl

    try:
        return dict(parse_qsl(query, keep_blank_values=True, strict_parsing=True)) if query else {}
    except ValueError:
        raise ConfigurationError(f"expected ?name=value&name=value at the end, got {_masked(url)!r}") from None


def _masked(url: str) -> str:
    """Return a URL without its passwords; rather too much is hidden than too little."""
    without_user = re.sub(r"://([^:/@?]*):(?:[^?]*|[^/@]*\?.*)@", r"://\1:***@", url)
    return re.sub(r"(?i)([?&][^=&]*(?:pass|pwd|secret|token)[^=&]*=)[^&]*", r"\1***", without_user)


def _not_understood(shown: str) -> ConfigurationError:
    return ConfigurationError(f"expected the URL of a store ({EXPECTED}), got {shown!r}")


def _open_memory(parts: StoreURL, clock: Clock | None) -> Store:
    from backburner.stores.memory.store import MemoryStore

    if parts.driver or parts.path.strip("/") or parts.options:
        raise ConfigurationError(f"expected memory:// and nothing else, got {parts.shown!r}")
    return MemoryStore(clock=clock)


def _open_sqlite(parts: StoreURL, clock: Clock | None) -> Store:
    from backburner.stores.sql.sqlite.store import open_sqlite

    if parts.driver not in {"", "pysqlite", "aiosqlite"}:
        raise ConfigurationError(f"expected sqlite:// (it uses Python's own sqlite3), got {parts.shown!r}")
    return open_sqlite(parts.path, parts.options, shown=parts.shown, clock=clock)


def _open_postgres(url: str, parts: StoreURL, clock: Clock | None) -> Store:
    if parts.driver not in {"", "psycopg", "psycopg2", "psycopg_async", "asyncpg"}:
        raise ConfigurationError(f"expected postgresql:// (it is psycopg that is used), got {parts.shown!r}")
    try:
        from backburner.stores.sql.postgres.store import open_postgres
    except ImportError as error:
        raise ConfigurationError(_missing("psycopg", "postgres", error)) from None
    return open_postgres(url, parts.shown, clock)


def _open_mysql(url: str, parts: StoreURL, clock: Clock | None) -> Store:
    if parts.driver not in MYSQL_DRIVERS:
        raise ConfigurationError(f"expected {parts.database}:// (it is PyMySQL that is used), got {parts.shown!r}")
    try:
        from backburner.stores.sql.mysql.store import open_mysql
    except ImportError as error:
        raise ConfigurationError(_missing("pymysql", "mysql", error)) from None
    return open_mysql(url, parts.shown, clock)


def _missing(module: str, extra: str, error: ImportError) -> str:
    """Say which driver is not there, or why it cannot be used."""
    is_missing = isinstance(error, ModuleNotFoundError) and error.name == module
    why = "is not installed" if is_missing else f"cannot be used ({str(error).splitlines()[0]})"
    return f"{module} {why}: pip install 'backburner[{extra}]'"
