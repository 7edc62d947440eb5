"""The application's own database: SQLite, through the standard library."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from . import settings

USERS = """
CREATE TABLE IF NOT EXISTS users (
    id integer PRIMARY KEY,
    name text NOT NULL,
    email text NOT NULL UNIQUE COLLATE NOCASE,
    activation_code text NOT NULL,
    activated_at text
)
"""


def path() -> Path:
    return settings.HOME / "tutorial.db"


def prepare() -> None:
    """Make the folder and the table, if they are not there."""
    settings.HOME.mkdir(parents=True, exist_ok=True)
    with transaction() as connection:
        connection.execute(USERS)


@contextmanager
def transaction() -> Iterator[sqlite3.Connection]:
    """Open the database; commit at the end of the block, or roll back when it raises."""
    with closing(sqlite3.connect(path())) as connection, connection:
        connection.row_factory = sqlite3.Row
        yield connection
