"""The application's own database, which the jobs are in as well."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

FILE = Path(os.environ.get("WORK_HOME", ".")) / "work.db"

TABLES = """
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY, email TEXT, cents INTEGER, charge TEXT, receipt_sent_at TEXT
);
CREATE TABLE IF NOT EXISTS counts (below INTEGER PRIMARY KEY, primes INTEGER);
CREATE TABLE IF NOT EXISTS prices (sku TEXT PRIMARY KEY, cents INTEGER);
CREATE TABLE IF NOT EXISTS subscribers (id INTEGER PRIMARY KEY, email TEXT);
CREATE TABLE IF NOT EXISTS deliveries (issue INTEGER, subscriber INTEGER, PRIMARY KEY (issue, subscriber));
"""


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    """Open the database; commit at the end of the block, or roll back when it raises."""
    with closing(sqlite3.connect(FILE, timeout=30)) as connection, connection:
        yield connection


def prepare() -> None:
    """Make the tables, if they are not there."""
    with database() as db:
        db.executescript(TABLES)
