"""Watching what an application does with its connections, whoever stands between it and the driver.

Connections that stores have for themselves are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from backburner.testing.faults.compiled import psycopg2_connects, sqlite_connects
from backburner.testing.faults.drivers import psycopg_methods, pymysql_methods


@contextmanager
def watching() -> Iterator[None]:
    """Let the current strike know of all that is executed, within the block."""
    with ExitStack() as stack:
        for watched in (sqlite_connects, psycopg2_connects, psycopg_methods, pymysql_methods):
            for place, name, wrapper in watched():
                stack.enter_context(patch.object(place, name, wrapper))
        yield
