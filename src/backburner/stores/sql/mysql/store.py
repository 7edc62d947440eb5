"""The MySQL and MariaDB store."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from functools import partial
from random import uniform
from time import sleep
from typing import TypeVar
from weakref import WeakSet

from backburner.core.errors import BackburnerError, SchemaMissing
from backburner.core.ops import Op, Repeatable
from backburner.core.ports import Capabilities
from backburner.core.schema import MigrationStep, SchemaState
from backburner.stores.sql.lent import Execute, run_lent
from backburner.stores.sql.migrate import Migrator, refuse_newer
from backburner.stores.sql.mysql.dialect import MYSQL
from backburner.stores.sql.mysql.joining import LentSession, Neighbours, run_joined
from backburner.stores.sql.mysql.migrator import MySQLMigrator
from backburner.stores.sql.mysql.operations import MySQLOperations
from backburner.stores.sql.mysql.problems import looking_for_problems
from backburner.stores.sql.mysql.server import Server
from backburner.stores.sql.mysql.slots import BlockingSlot
from backburner.stores.sql.mysql.url import Place, parse
from backburner.stores.sql.offload import Offload
from backburner.stores.sql.polling import PollingWatch
from backburner.stores.sql.pool import Begun, Pool, failing
from backburner.stores.sql.troubles import Conflict, Locked
from backburner.stores.watching import Watches

T = TypeVar("T")

MIGRATION_LASTS = 600.0
"""Seconds that a statement of a migration may take."""

MIGRATION_TRIES = 10
"""How often a migration gives way to others that use the tables, before it gives up."""


class MySQLStore(MySQLOperations):
    """Keep jobs in a MySQL or MariaDB database, usually the application's; `backburner migrate` makes the tables."""

    def __init__(
        self, place: Place, *, clock: Callable[[], datetime] | None = None, migrator: Migrator | None = None
    ) -> None:
        super().__init__(clock, place.names)
        self.url: str = place.url
        self.capabilities: Capabilities = Capabilities(
            durable=True, joins_connections=True, many_processes=True, overlaps=place.pool_size > 1
        )
        self._server = Server(place)
        self._pool = Pool(partial(BlockingSlot, self._server), place)
        self._neighbours = Neighbours(self._server, self._pool)
        self._migrator = migrator or MySQLMigrator(MYSQL, names=place.names)
        self._is_migrated = False
        self._watches = Watches()
        self._offload = Offload("backburner-mysql", place.pool_size)
        _stores.add(self)

    def now(self) -> datetime:
        return self._server.clock.now() if self._clock is None else self._clock()

    def run(self, op: Op[T], connection: object | None = None) -> T:
        if connection is not None:
            return run_joined(op, self._neighbours.expect(connection), self._server)
        if not self._is_migrated:
            self._expect_tables()
        return self._pool.run(op)

    async def arun(self, op: Op[T], connection: object | None = None) -> T:
        if connection is not None:
            return self.run(op, connection)  # a connection of PyMySQL belongs to the thread that uses it
        return await self._offload.run(self.run, op)

    def run_by(self, op: Op[T], execute: Execute) -> T:
        return run_lent(op, LentSession(execute), self.url, self._server.place.names)

    def leads_here(self, execute: Execute) -> bool:
        return self._neighbours.leads_here(execute)

    def begin(self, op: Op[T]) -> Begun[T]:
        try:
            if not self._is_migrated:
                self._expect_tables()
        except BackburnerError as error:
            op = failing(error)
        return self._pool.begin(op)

    def schema_state(self) -> SchemaState:
        return self._pool.run(Repeatable(self._migrator.state))

    def migrate(self) -> list[str]:
        for _ in range(MIGRATION_TRIES - 1):
            try:
                return self._migrate()
            except (Locked, Conflict):
                sleep(uniform(0.5, 1.5))  # noqa: S311 # so that those who use the tables come through
        return self._migrate()

    def migration_sql(self) -> str:
        return self._migrator.script()

    def migration_steps(self) -> list[MigrationStep]:
        return self._migrator.steps()

    def watch(self) -> PollingWatch:
        watch = PollingWatch(self._watches, self.activity)
        self._watches.add(watch)
        return watch

    def notify(self, connection: object | None = None) -> None:
        if connection is None:
            self._watches.wake_all()

    def problems(self) -> list[str]:
        return self._pool.run(Repeatable(looking_for_problems))

    def close(self) -> None:
        self._watches.wake_all()
        self._pool.drop()
        self._offload.close()
        self._is_migrated = False

    def leave_to_parent(self) -> None:
        """Begin afresh in a process that was forked: connections and threads are the other one's."""
        self._pool.abandon()
        self._offload.abandon()

    def _expect_tables(self) -> None:
        self._is_migrated = self._pool.run(Repeatable(self._has_tables))

    def _has_tables(self) -> Op[bool]:
        """Raise SchemaMissing unless the tables are there and of this version."""
        state = yield from self._migrator.state()
        refuse_newer(state)
        if not state.is_current:
            needed = f"are of version {state.found}, and this code needs {state.needed}"
            raise SchemaMissing(
                f"the tables of backburner in {self._server.place.shown} {needed if state.found else 'are missing'}: "
                "run `backburner migrate`"
            )
        return True

    def _migrate(self) -> list[str]:
        return self._pool.run(self._migrator.migrate(), MIGRATION_LASTS)


_stores: WeakSet[MySQLStore] = WeakSet()


def _leave_to_parent() -> None:
    for store in list(_stores):
        store.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


def open_mysql(url: str, shown: str, clock: Callable[[], datetime] | None) -> MySQLStore:
    """Make the store of a URL; `shown` is that URL as it may be shown. Raises ConfigurationError."""
    return MySQLStore(parse(url, shown), clock=clock)
