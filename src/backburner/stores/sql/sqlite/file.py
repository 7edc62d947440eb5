"""An SQLite database as one process uses it: its connections, whose turn it is, and what a fork does to them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from threading import Lock, local
from typing import Any, TypeVar, cast
from weakref import WeakSet

from backburner.core import ops
from backburner.core.errors import BackburnerError, StoreUnavailable
from backburner.core.ops import Op, Statement
from backburner.stores.sql.base import Look
from backburner.stores.sql.offload import Offload
from backburner.stores.sql.sqlite.errors import translated
from backburner.stores.sql.sqlite.sessions import OwnSession

T = TypeVar("T")

MEMORY = ":memory:"
FORK_PATIENCE = 1.0
"""Seconds that a fork waits for an operation of another thread."""

THREADS = 4
"""For awaited operations. More than one, so that a long look does not keep the others waiting."""


class Lane:
    """A connection, opened when it is first used. Its methods are for the thread that holds the lock."""

    def __init__(self, path: str, synchronous: str, patience: float) -> None:
        self.lock: Lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._path = path
        self._synchronous = synchronous
        self._patience = patience
        self._session: OwnSession | None = None
        self._is_journal_settled = False

    def run(self, op: Op[T]) -> T:
        """Run an operation as one transaction."""
        session = self._open_session()
        session.rollback()  # only for the case that a JobTimeout kept the last operation from it
        if not self._is_journal_settled:
            self._settle_journal(session)
        try:
            value = ops.run(op, session)
            session.commit()
        except StoreUnavailable:
            self._start_again(session)
            raise
        except BaseException:
            session.rollback()
            raise
        return value

    def data_version(self) -> int | None:
        """Return a number that changes when another connection commits; None when a lock is in the way."""
        return self._open_session().data_version()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._session = None
        self._is_journal_settled = False

    def _start_again(self, session: OwnSession) -> None:
        """Undo the operation by leaving a connection that is not to be trusted again."""
        if self._path == MEMORY:
            session.rollback()
        else:
            self.close()

    def _open_session(self) -> OwnSession:
        if self._session is None:
            self._session = self._open()
        return self._session

    def _open(self) -> OwnSession:
        self.close()  # there is a connection already when a JobTimeout came in the middle of this
        try:
            self._connection = sqlite3.connect(
                self._path, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=256
            )
        except sqlite3.Error as error:
            raise translated(error, self._path) from error
        session = OwnSession(self._connection, self._path, self._patience)
        for pragma in (
            f"synchronous = {self._synchronous}",
            "cache_size = -32000",
            "temp_store = MEMORY",
            "mmap_size = 0",  # a file that others cut off would kill the process
        ):
            session.execute(Statement(f"PRAGMA {pragma}"))
        return session

    def _settle_journal(self, session: OwnSession) -> None:
        """Switch the file to a write-ahead log, where readers and writers do not wait for each other.

        Not while the application is in a transaction of the old kind; then the next operation tries again.
        """
        answer = session.attempt(Statement("PRAGMA journal_mode = WAL"))
        self._is_journal_settled = answer is not None


class _Begun:
    """An operation whose first command is known already."""

    def __init__(self, op: Op[Any], first: object) -> None:
        self._first = first
        self.send = op.send
        self.throw = op.throw

    def __next__(self) -> object:
        return self._first


class SQLiteFile:
    """A database file, or a database in memory.

    One connection does the work; long looks have a second one, so that nobody waits for them. Threads share both.
    """

    is_migrated: bool
    """Whether the tables are known to be there."""

    def __init__(self, path: str, *, synchronous: str, patience: float) -> None:
        self.path = path
        self._settings = (path, synchronous, patience)
        self._start_afresh()
        _files.add(self)

    def run(self, op: Op[T]) -> T:
        """Run an operation as one transaction."""
        try:
            first = next(op)
        except StopIteration as stop:
            value: T = stop.value
            return value
        lane = self.looking if isinstance(first, Look) else self.working
        # `with`, and nothing cleverer: a JobTimeout may be raised between any two steps here.
        with lane.lock:
            return lane.run(cast("Op[T]", _Begun(op, first)))

    async def arun(self, function: Callable[[Op[T]], T], op: Op[T]) -> T:
        """Call a function that blocks on an operation in a thread of ours."""
        return await self._offload.run(function, op)

    def data_version(self) -> int | None:
        """Return a number that changes when another connection commits; None when it cannot be read just now.

        Never waits for a turn.
        """
        lane = self.working
        if not lane.lock.acquire(blocking=False):
            return None
        try:
            return lane.data_version()
        except BackburnerError:
            return None  # the next operation will say what is wrong
        finally:
            lane.lock.release()

    def close(self) -> None:
        """Close the connections, after the operations that are running."""
        for lane in {self.working, self.looking}:
            with lane.lock:
                lane.close()
        self._offload.close()
        self.is_migrated = False

    def forget(self) -> None:
        """Leave the connections alone for ever and begin with new ones: they belong to the process that forked."""
        for lane in {self.working, self.looking}:
            _keep_for_ever(lane)
        self._start_afresh()

    def _start_afresh(self) -> None:
        self.working: Lane = Lane(*self._settings)
        self.looking: Lane = self.working if self.path == MEMORY else Lane(*self._settings)
        self.is_migrated = False
        self._offload = Offload("backburner-sqlite", THREADS)


_files: WeakSet[SQLiteFile] = WeakSet()


class _Fork(local):
    """What the thread that forks holds meanwhile."""

    def __init__(self) -> None:
        self.locks: list[Lock] = []


_fork = _Fork()


def _wait_for_operations() -> None:
    """Fork between two operations: what SQLite has locked just then, it takes for locked by the child for ever.

    That goes for every connection of the child to the same file, since SQLite keeps its locks by file. Who forks in the
    middle of an operation of its own waits in vain for a moment.
    """
    _fork.locks = []
    for lane in {lane for file in list(_files) for lane in (file.working, file.looking)}:
        if lane.lock.acquire(timeout=FORK_PATIENCE):
            _fork.locks.append(lane.lock)


def _let_operations_go_on() -> None:
    for lock in _fork.locks:
        lock.release()
    _fork.locks = []


def _forget_connections() -> None:
    _fork.locks = []
    for file in _files:
        file.forget()


def _keep_for_ever(lane: Lane) -> None:
    """Make sure that nobody closes the connection or a cursor of it, not even the end of the process.

    SQLite believes to hold locks here which this process does not have; closing could delete the log under the hands
    of the process that it belongs to.
    """
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(lane))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_wait_for_operations, after_in_parent=_let_operations_go_on, after_in_child=_forget_connections
    )
