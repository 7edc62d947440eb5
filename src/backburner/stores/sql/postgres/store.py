"""The PostgreSQL store."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from random import uniform
from time import sleep
from typing import TypeVar
from weakref import WeakSet

import psycopg

from backburner.core.errors import BackburnerError, ConfigurationError, SchemaMissing
from backburner.core.ops import Frequent, Op, Repeatable
from backburner.core.ports import Capabilities, Claimed, ClaimRequest, Settlement
from backburner.core.schema import MigrationStep, SchemaState
from backburner.stores.sql.lent import Execute, LentSession, run_lent
from backburner.stores.sql.migrate import Migrator, refuse_newer
from backburner.stores.sql.pool import Begun, Pool, failing
from backburner.stores.sql.postgres.awaiting import AwaitingPools
from backburner.stores.sql.postgres.dialect import POSTGRES
from backburner.stores.sql.postgres.joining import Neighbours, arun_joined, run_joined
from backburner.stores.sql.postgres.listening import Ear, NoticeWatch
from backburner.stores.sql.postgres.notifier import Notifier
from backburner.stores.sql.postgres.operations import PostgresOperations
from backburner.stores.sql.postgres.problems import problems_of
from backburner.stores.sql.postgres.server import Server
from backburner.stores.sql.postgres.slots import BlockingSlot
from backburner.stores.sql.postgres.url import Place, parse
from backburner.stores.sql.troubles import Locked
from backburner.stores.watching import Watches

T = TypeVar("T")

MIGRATION_LASTS = 600.0
"""Seconds that a statement of a migration may take."""

TELL = "SELECT set_config('synchronous_commit', 'off', true), pg_notify(%s, %s)"
"""A notice that a crash may cost: all commits with one wait for one another, so that none should wait for a disk."""

MIGRATION_TRIES = 10
"""How often a migration gives way to others that use the tables, before it gives up."""


class PostgresStore(PostgresOperations):
    """Keep jobs in a PostgreSQL database, usually the application's own; `backburner migrate` makes the tables."""

    def __init__(
        self, place: Place, *, clock: Callable[[], datetime] | None = None, migrator: Migrator | None = None
    ) -> None:
        super().__init__(clock, place.names)
        self.url: str = place.url
        # What was begun holds a connection: one must be left for those who perform meanwhile.
        overlaps = place.pool_size > 1
        self.capabilities: Capabilities = Capabilities(
            durable=True, joins_connections=True, many_processes=True, overlaps=overlaps
        )
        self._server = Server(place)
        self._pool = Pool(partial(BlockingSlot, self._server), place)
        self._pools = AwaitingPools(self._server)
        self._neighbours = Neighbours(self._server, self._pool)
        self._migrator = migrator or Migrator(POSTGRES, names=place.names)
        self._is_migrated = False
        self._token = secrets.token_hex(8)
        self._watches = Watches()
        self._ear = Ear(self._server, self._token, self._watches)
        self._notifier = Notifier(self._tell_others, self._watches.wake_all)
        _stores.add(self)

    def now(self) -> datetime:
        return self._server.clock.now() if self._clock is None else self._clock()

    def claim(self, request: ClaimRequest, settlements: Sequence[Settlement] = ()) -> Op[Claimed]:
        claimed = yield from super().claim(request, settlements)
        if claimed.jobs:
            self._ear.note_work()
        return claimed

    def run(self, op: Op[T], connection: object | None = None) -> T:
        if connection is not None:
            return self._run_joined(op, connection)
        if not self._is_migrated:
            self._expect_tables()
        return self._pool.run(op)

    async def arun(self, op: Op[T], connection: object | None = None) -> T:
        if isinstance(connection, psycopg.AsyncConnection):
            self._neighbours.expect(connection)
            return await arun_joined(op, connection, self._server)
        if connection is not None:
            return self._run_joined(op, connection)
        if not self._is_migrated:
            self._is_migrated = await self._pools.run(Repeatable(self._has_tables))
        return await self._pools.run(op)

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
            except Locked:
                sleep(uniform(0.5, 1.5))  # noqa: S311 # so that those who use the tables come through
        return self._migrate()

    def migration_sql(self) -> str:
        return self._migrator.script()

    def migration_steps(self) -> list[MigrationStep]:
        return self._migrator.steps()

    def watch(self) -> NoticeWatch:
        watch = NoticeWatch(self._watches, self._ear)
        self._watches.add(watch)
        self._ear.use(watch)
        return watch

    def notify(self, connection: object | None = None) -> None:
        if connection is None:
            self._watches.wake_all()
            self._notifier.notice()
        elif isinstance(connection, (psycopg.Connection, psycopg.AsyncConnection)):
            self._notifier.notice_after(connection)

    def problems(self) -> list[str]:
        return problems_of(self._server, self._pool.run)

    def close(self) -> None:
        self._notifier.finish()
        self._watches.wake_all()
        self._ear.close()
        self._pool.drop()
        self._pools.drop()
        self._is_migrated = False

    def leave_to_parent(self) -> None:
        """Begin afresh in a process that was forked: connections and threads are the other one's."""
        self._pool.abandon()
        self._pools.abandon()
        self._ear.abandon()
        self._notifier.start_afresh()
        self._token = self._ear.token = secrets.token_hex(8)

    def _run_joined(self, op: Op[T], connection: object) -> T:
        if not isinstance(connection, psycopg.Connection):
            kind = type(connection)
            hint = "; await the operation" if isinstance(connection, psycopg.AsyncConnection) else ""
            raise ConfigurationError(
                f"expected connection= to be a psycopg.Connection to {self._server.place.shown}, "
                f"got {kind.__module__}.{kind.__qualname__}{hint}"
            )
        self._neighbours.expect(connection)
        return run_joined(op, connection, self._server)

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

    def _tell_others(self) -> None:
        self._pool.run(Repeatable(self._telling))

    def _telling(self) -> Op[None]:
        if self._server.end is None:
            yield from self._server.ask_the_time()  # which connects, and only then is it known what to call it
        yield Frequent(TELL, (self._server.channel, self._token))


_stores: WeakSet[PostgresStore] = WeakSet()


def _leave_to_parent() -> None:
    for store in list(_stores):
        store.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


def open_postgres(url: str, shown: str, clock: Callable[[], datetime] | None) -> PostgresStore:
    """Make the store of a URL; `shown` is that URL as it may be shown. Raises ConfigurationError."""
    return PostgresStore(parse(url, shown), clock=clock)
