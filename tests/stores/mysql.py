"""What the tests of the MySQL store share."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import pymysql
from pymysql.connections import Connection

ISOLATION = "VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')"
"""What comes after SHOW for the isolation level: the first is MariaDB's name of it, the second MySQL's."""


def connect(url: str, **options: Any) -> Connection[Any]:
    """Return a connection as an application has one: it begins transactions by itself."""
    parts = urlsplit(url)
    given: dict[str, Any] = {
        "host": parts.hostname,
        "port": parts.port or 3306,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": unquote(parts.path.strip("/")),
        "charset": "utf8mb4",
        "ssl_disabled": True,  # to prepare for TLS takes longer than many a test
    }
    return pymysql.connect(**{**given, **options})
