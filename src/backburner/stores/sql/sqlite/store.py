"""The SQLite store."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from backburner.core import ops
from backburner.core.errors import ConfigurationError, SchemaMissing, StoreUnavailable
from backburner.core.ops import Op
from backburner.core.ports import Capabilities
from backburner.core.schema import MigrationStep, SchemaState
from backburner.stores.postponed import Postponed
from backburner.stores.sql.claims import Claims
from backburner.stores.sql.dialect import SQLITE
from backburner.stores.sql.lent import Execute, LentSession, run_lent
from backburner.stores.sql.migrate import Migrator, refuse_newer
from backburner.stores.sql.names import Names
from backburner.stores.sql.sqlite.file import MEMORY, SQLiteFile
from backburner.stores.sql.sqlite.problems import problems_of
from backburner.stores.sql.sqlite.sessions import JoinedSession, are_same, joined, main_file_of
from backburner.stores.sql.sqlite.watch import FileWatch
from backburner.stores.sql.upkeep import Upkeep
from backburner.stores.watching import LocalWatch, Watches

T = TypeVar("T")

SYNCHRONOUS = ("NORMAL", "FULL")


class SQLiteStore(Claims, Upkeep):
    """Keep jobs in an SQLite file, by default the application's own; the tables are made at first use.

    `path` is `:memory:` for a database that ends with the process. `synchronous` is NORMAL, where a loss of power may
    cost the last moments, or FULL. `patience` is how many seconds to wait for other writers.
    """

    def __init__(
        self,
        path: str,
        *,
        clock: Callable[[], datetime] | None = None,
        synchronous: str = "NORMAL",
        patience: float = 10.0,
        migrator: Migrator | None = None,
    ) -> None:
        super().__init__(SQLITE, clock)
        on_disk = path != MEMORY
        # At once: the application may change its directory before the first use.
        self._path = os.path.abspath(path) if on_disk else path
        self.url: str = f"sqlite:///{self._path}"
        self.capabilities: Capabilities = Capabilities(
            durable=on_disk, joins_connections=on_disk, many_processes=on_disk
        )
        self._file = SQLiteFile(self._path, synchronous=synchronous, patience=patience)
        self._migrator = migrator or Migrator(SQLITE)
        self._watches = Watches()

    def run(self, op: Op[T], connection: object | None = None) -> T:
        try:
            if connection is not None:
                return self._run_joined(op, connection)
            if not self._file.is_migrated:
                self._migrate_if_needed()
            return self._file.run(op)
        except SchemaMissing:
            self._file.is_migrated = False  # somebody dropped the tables; the next operation makes them again
            raise

    async def arun(self, op: Op[T], connection: object | None = None) -> T:
        if connection is not None:
            # sqlite3 connections belong to the thread that made them, and this is it.
            return self.run(op, connection)
        return await self._file.arun(self.run, op)

    def run_by(self, op: Op[T], execute: Execute) -> T:
        session = LentSession(execute)
        try:
            if not self._file.is_migrated:
                self._migrate_lent(session)
            return run_lent(op, session, self.url, Names())
        except SchemaMissing:
            self._file.is_migrated = False  # see `run`
            raise

    def leads_here(self, execute: Execute) -> bool:
        return self._path != MEMORY and are_same(main_file_of(execute), self._path)

    def schema_state(self) -> SchemaState:
        if self._path != MEMORY and not os.path.exists(self._path):
            return SchemaState(0, self._migrator.needed)  # to open the file would make it
        return self._file.run(self._migrator.state())

    def migrate(self) -> list[str]:
        return self._file.run(self._migrator.migrate())

    def migration_sql(self) -> str:
        return self._migrator.script()

    def migration_steps(self) -> list[MigrationStep]:
        return self._migrator.steps()

    def watch(self) -> LocalWatch:
        watch = LocalWatch(self._watches)
        if self.capabilities.many_processes:
            watch = FileWatch(self._watches, self._path, self._file.data_version)
        self._watches.add(watch)
        return watch

    def begin(self, op: Op[T]) -> Postponed[T]:
        return Postponed(self.run, op)

    def notify(self, connection: object | None = None) -> None:
        if connection is not None:
            return  # the watches see the commit in the file
        self._watches.wake_all()

    def problems(self) -> list[str]:
        return problems_of(self._file)

    def close(self) -> None:
        self._watches.wake_all()
        self._file.close()

    def _migrate_if_needed(self) -> None:
        state = self._file.run(self._migrator.state())
        refuse_newer(state)
        if not state.is_current:
            self.migrate()
        self._file.is_migrated = True

    def _run_joined(self, op: Op[T], connection: object) -> T:
        if not isinstance(connection, sqlite3.Connection):
            kind = type(connection).__qualname__
            raise ConfigurationError(f"expected connection= to be a sqlite3.Connection to {self._path}, got {kind}")
        if self._path == MEMORY:
            raise ConfigurationError(
                "a database in memory is the store's alone: it cannot join the transaction of connection="
            )
        with joined(connection, self._path) as session:
            if not self._file.is_migrated:
                self._migrate_joined(connection, session)
            return ops.run(op, session)

    def _migrate_joined(self, connection: sqlite3.Connection, session: JoinedSession) -> None:
        """Make or upgrade the tables where the caller can see them.

        Inside its transaction, if it is in one: it may hold the lock that a connection of ours would wait for.
        """
        if not connection.in_transaction or self._is_current_for_others():
            self._migrate_if_needed()
            return
        state = ops.run(self._migrator.state(), session)
        if not state.is_current:
            ops.run(self._migrator.migrate(), session)

    def _migrate_lent(self, session: LentSession) -> None:
        """Make or upgrade the tables in a transaction that may hold the lock that a connection of ours would wait for.

        That they are there is remembered once others see them too: this transaction may be undone.
        """
        if self._path != MEMORY and self._is_current_for_others():
            self._file.is_migrated = True
        elif not ops.run(self._migrator.state(), session).is_current:
            ops.run(self._migrator.migrate(), session)
        elif self._path == MEMORY:
            self._file.is_migrated = True

    def _is_current_for_others(self) -> bool:
        """Say whether the tables are there outside of the caller's transaction, without waiting for anybody.

        Nearly always they are. To look with the caller's connection would fix what its transaction can see, before it
        has the write lock.
        """
        glance = SQLiteFile(self._path, synchronous="NORMAL", patience=0)
        try:
            return glance.run(self._migrator.state()).is_current
        except StoreUnavailable:
            return False
        finally:
            glance.close()


def open_sqlite(
    path: str, options: Mapping[str, str], *, shown: str, clock: Callable[[], datetime] | None
) -> SQLiteStore:
    """Make the store of the URL `sqlite://{path}?{options}`; `shown` is that URL as it may be shown."""
    unknown = sorted(set(options) - {"synchronous"})
    if unknown:
        raise ConfigurationError(f"expected no option but synchronous, got {', '.join(unknown)} in {shown!r}")
    synchronous = options.get("synchronous", "NORMAL").upper()
    if synchronous not in SYNCHRONOUS:
        raise ConfigurationError(f"expected synchronous to be {' or '.join(SYNCHRONOUS)}, got {synchronous!r}")
    if path and not path.startswith("/"):
        raise ConfigurationError(f"expected sqlite:///{path} with three slashes (four for /{path}), got {shown!r}")
    return SQLiteStore(path[1:] or MEMORY, clock=clock, synchronous=synchronous)
