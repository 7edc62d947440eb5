"""Executing commands on a sqlite3 connection: on one of our own, or on the caller's."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from backburner.core.errors import ConfigurationError, StoreUnavailable
from backburner.core.ops import Begin, Many, Reply, Statement
from backburner.stores.sql.base import Look
from backburner.stores.sql.sqlite.errors import is_busy, translated

_DONE = Reply((), 0)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.0005, 0.003
"""Seconds. Longer ones give a little more to all processes together, and let single ones wait for half a second."""


class OwnSession:
    """Runs operations on a connection of ours, each as one transaction.

    Waits up to `patience` seconds for a lock. SQLite's own waiting is not used: it sleeps ever longer, so that of
    several busy processes one starves.
    """

    def __init__(self, connection: sqlite3.Connection, path: str, patience: float) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._path = path
        self._patience = patience

    def execute(self, command: Any) -> Reply:
        """Execute one command; BEGIN and LOOK open the transaction that `commit` ends."""
        reply = self.attempt(command)
        return self._keep_trying(command) if reply is None else reply

    def attempt(self, command: Any) -> Reply | None:
        """Execute one command if no lock is in the way; return None if one is."""
        try:
            return self._execute(command)
        except sqlite3.Error as error:
            if is_busy(error):
                return None
            raise translated(error, self._path) from error

    def data_version(self) -> int | None:
        """Return a number that changes when another connection commits; None when it cannot be read just now.

        Idle workers ask a hundred times a second, so this goes straight to the cursor.
        """
        try:
            row = self._cursor.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            return None  # the next operation will say what is wrong
        return int(row[0])

    def commit(self) -> None:
        """End the transaction, if there is one."""
        if self._connection.in_transaction:
            self.execute(Statement("COMMIT"))

    def rollback(self) -> None:
        """Undo the transaction, if it is still there: after some errors SQLite has undone it already."""
        if self._connection.in_transaction:
            self.execute(Statement("ROLLBACK"))

    def _execute(self, command: Any) -> Reply:
        match command:
            case Begin():
                return _executed(self._cursor, Statement("BEGIN IMMEDIATE"))
            case Look():
                return _executed(self._cursor, Statement("BEGIN"))
        return _executed(self._cursor, command)

    def _keep_trying(self, command: Any) -> Reply:
        deadline = time.monotonic() + self._patience
        pause = _FIRST_PAUSE
        while time.monotonic() < deadline:
            time.sleep(pause * (0.5 + random.random()))  # noqa: S311 # chance keeps processes apart, it hides nothing
            pause = min(pause * 1.5, _LONGEST_PAUSE)
            reply = self.attempt(command)
            if reply is not None:
                return reply
        raise StoreUnavailable(
            f"{self._path} has been locked by another connection for {self._patience:g} s: end transactions sooner; "
            "when this program holds the transaction itself, pass its connection=…"
        )


class JoinedSession:
    """Runs operations on the caller's connection, inside the caller's transaction, which it neither begins nor ends."""

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self._connection = connection
        self._path = path
        self._has_savepoint = False
        try:
            self._cursor = connection.cursor()
        except sqlite3.Error as error:
            raise translated(error, path) from error
        self._cursor.row_factory = None
        self._expect_database()

    def execute(self, command: Any) -> Reply:
        """Execute one command."""
        try:
            match command:
                case Begin():
                    return self._begin()
                case Look():
                    return _DONE
            return _executed(self._cursor, command)
        except sqlite3.Error as error:
            raise translated(error, self._path) from error

    def finish(self) -> None:
        """Keep what the operation did."""
        if self._has_savepoint:
            self.execute(Statement("RELEASE backburner"))

    def undo(self) -> None:
        """Undo what the operation did, where that is ours to do."""
        if self._has_savepoint and self._connection.in_transaction:
            self.execute(Statement("ROLLBACK TO backburner"))
            self.execute(Statement("RELEASE backburner"))

    def _expect_database(self) -> None:
        found = main_file_of(self.execute)
        if not are_same(found, self._path):
            raise ConfigurationError(
                f"expected connection= to be connected to the store's database {self._path}, "
                f"got one to {found or 'a database in memory'}"
            )

    def _begin(self) -> Reply:
        if self._commits_every_statement() and not self._connection.in_transaction:
            # Else an operation of several statements could be left half done.
            _executed(self._cursor, Statement("SAVEPOINT backburner"))
            self._has_savepoint = True
        try:
            # Takes the write lock, in the connection's own way to begin a transaction. A transaction that had read
            # before it asked for the lock would be refused it, at once, when somebody else has written meanwhile.
            return _executed(self._cursor, Statement("DELETE FROM backburner_queues WHERE 0"))
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return _DONE  # this operation is about to make it
            raise

    def _commits_every_statement(self) -> bool:
        return self._connection.isolation_level is None or getattr(self._connection, "autocommit", None) is True


@contextmanager
def joined(connection: sqlite3.Connection, path: str) -> Iterator[JoinedSession]:
    """Give a session on the caller's connection, and leave the connection as it was.

    Raises ConfigurationError when it is not a connection to this file, or cannot be used in this thread.
    """
    text_factory, connection.text_factory = connection.text_factory, str
    try:
        session = JoinedSession(connection, path)
        try:
            yield session
        except BaseException:
            session.undo()
            raise
        session.finish()
    finally:
        connection.text_factory = text_factory


def _executed(cursor: sqlite3.Cursor, command: Any) -> Reply:
    match command:
        case Statement(text, parameters):
            cursor.execute(text, parameters)
            return Reply(cursor.fetchall(), cursor.rowcount)
        case Many(text, rows):
            cursor.executemany(text, rows)
            return Reply((), cursor.rowcount)
    raise TypeError(f"expected a command of SQL, got {command!r}: was this operation made by another store?")


def main_file_of(execute: Callable[[Statement], Reply]) -> str:
    """Return the file that a connection is to, by what executes a statement on it; nothing for one in memory."""
    return str(next(file for _, name, file in execute(Statement("PRAGMA database_list")).rows if name == "main"))


def are_same(one: str, other: str) -> bool:
    """Say whether two paths lead to the same file."""
    return one == other or (os.path.exists(one) and os.path.exists(other) and os.path.samefile(one, other))
