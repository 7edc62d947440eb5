"""The transactions of SQLAlchemy that jobs can be part of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from backburner.authoring.bulk import Stands
from backburner.authoring.outlets import expect_keys
from backburner.core.errors import ConfigurationError, EnqueueError
from backburner.core.job import Job
from backburner.integrations.sqlalchemy.clerk import Clerk
from backburner.integrations.sqlalchemy.listening import account_of
from backburner.integrations.sqlalchemy.wakes import wake_later

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


class SessionJoint:
    """The transaction of a session, also of one that belongs to an AsyncSession."""

    def __init__(self, session: Session, clerk: Clerk) -> None:
        self._session = session
        self._clerk = clerk

    def put(self, jobs: Sequence[Job[Any]]) -> None:
        account_of(self._session, self._clerk).put(self._session, jobs)

    async def aput(self, jobs: Sequence[Job[Any]]) -> None:
        self.put(jobs)  # adds to the session, which is no I/O

    def witness(self) -> Stands:
        """Return what says later whether what is done now still stands, for jobs that are written later."""
        return account_of(self._session, self._clerk).witness(self._session)


class ConnectionJoint:
    """The transaction of a connection: jobs are written at once."""

    def __init__(self, connection: Connection, clerk: Clerk) -> None:
        self._connection = connection
        self._clerk = clerk

    def put(self, jobs: Sequence[Job[Any]]) -> None:
        expect_keys(jobs)
        clerk, store = self._clerk, self._clerk.store
        if clerk.ways.lead(self._connection):
            clerk.write_on(self._connection, jobs)
            wake_later(self._connection, store)
        elif store.capabilities.joins_connections:
            raise ConfigurationError(
                f"expected connection= to be connected to the store's database {store.url}, "
                f"got one of {self._connection.engine.url!r}"
            )
        else:
            store.run(store.enqueue(jobs), self._connection)

    async def aput(self, jobs: Sequence[Job[Any]]) -> None:
        self.put(jobs)

    def witness(self) -> None:
        """Say nothing: a connection does not tell of its savepoints."""


class AsyncConnectionJoint:
    """The transaction of a connection for asyncio: jobs are written at once, and that is awaited."""

    def __init__(self, connection: AsyncConnection, clerk: Clerk) -> None:
        self._connection = connection
        self._clerk = clerk

    def put(self, jobs: Sequence[Job[Any]]) -> None:  # noqa: ARG002
        raise EnqueueError(
            "expected a call that is awaited, got one with an AsyncConnection that is not: write `await adelay(…)`, "
            "`await aenqueue(…)`, `await f.adelay(…)` or `async with abulk():`, or give an AsyncSession"
        )

    async def aput(self, jobs: Sequence[Job[Any]]) -> None:
        await self._connection.run_sync(lambda connection: ConnectionJoint(connection, self._clerk).put(jobs))

    def witness(self) -> None:
        """Say nothing, as `ConnectionJoint.witness`."""
