"""Databases of the tests as Django's setting DATABASES has them."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

ENGINES = {"sqlite": "sqlite3", "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql"}


def entry_for(url: str) -> dict[str, Any]:
    """Return the entry for the database of a URL; for MySQL, PyMySQL stands in for the driver that Django wants."""
    parts = urlsplit(url)
    engine = ENGINES[parts.scheme]
    entry = {"ENGINE": f"django.db.backends.{engine}", "NAME": parts.path[1:]}
    if engine == "sqlite3":
        return entry
    if engine == "mysql":
        _let_pymysql_stand_in()
    return {
        **entry,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
    }


def _let_pymysql_stand_in() -> None:
    import pymysql

    pymysql.version_info = (2, 2, 7, "final", 0)  # what Django expects of the other driver
    pymysql.install_as_MySQLdb()
