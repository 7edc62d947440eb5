"""A PostgreSQL database as one process knows it: how to connect, what stands in between, what time it is there."""

from __future__ import annotations

from time import monotonic
from typing import Any

import psycopg

from backburner.core import ops
from backburner.core.errors import ConfigurationError
from backburner.core.ops import Op, Reply, Statement
from backburner.stores.sql.clock import DatabaseClock
from backburner.stores.sql.names import DEFAULT_PREFIX
from backburner.stores.sql.postgres.dialect import SETTINGS
from backburner.stores.sql.postgres.errors import Explainer
from backburner.stores.sql.postgres.url import Place
from backburner.stores.sql.postgres.wires import AwaitingConnection, AwaitingWire, Connection, Wire

OLDEST = 130000

ANSWERED_BY = 0.9
"""The server gives up at this part of the time after which we do, so that it does not go on for nobody."""

LONGEST_NAME = 63
"""Bytes."""

TIME = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


class Server:
    """Makes connections and keeps what was learned when they were made."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.explainer: Explainer = Explainer(place)
        self.clock: DatabaseClock = DatabaseClock()
        self.is_pooled = place.is_pooled
        """Whether a pooler stands in between; None as long as nobody has looked."""
        self.schema: str | None = place.names.schema
        """The schema that the tables are in or would be made in; None as long as nobody has looked."""
        self.end: tuple[str, str, int] | None = None
        """Database, host and port of the last connection."""

    @property
    def channel(self) -> str:
        """What notifications about these tables are called; the same in all processes."""
        name = f"{DEFAULT_PREFIX}{self.schema or ''}.{self.place.names.prefix}"
        return name.encode()[:LONGEST_NAME].decode(errors="ignore")

    def connect(self) -> Wire:
        """Make a connection. Raises ConfigurationError or StoreUnavailable."""
        parameters: dict[str, Any] = dict(self.place.parameters)
        try:
            connection = Connection.connect("", autocommit=True, prepare_threshold=None, **parameters)
        except psycopg.Error as error:
            raise self.explainer.refused(error) from self.explainer.cause(error)
        connection.patience = self.place.timeout
        wire = Wire(connection, self.explainer)
        ops.run(self._get_acquainted(wire), wire)
        return wire

    async def aconnect(self) -> AwaitingWire:
        """Make a connection for the running event loop. Raises ConfigurationError or StoreUnavailable."""
        parameters: dict[str, Any] = dict(self.place.parameters)
        try:
            connection = await AwaitingConnection.connect("", autocommit=True, prepare_threshold=None, **parameters)
        except psycopg.Error as error:
            raise self.explainer.refused(error) from self.explainer.cause(error)
        connection.patience = self.place.timeout
        wire = AwaitingWire(connection, self.explainer)
        await ops.arun(self._get_acquainted(wire), wire)
        return wire

    def ask_the_time(self) -> Op[None]:
        """Set our clock by the database's."""
        asked = monotonic()
        reply: Reply = yield Statement(f"SELECT {TIME}")
        self.clock.note(reply.rows[0][0], asked, monotonic())

    def _get_acquainted(self, wire: Wire | AwaitingWire) -> Op[None]:
        """Learn all that we want to know of the other side, in one round trip, and set up the session."""
        info = wire.connection.info
        self._expect_version(info.server_version)
        asked = monotonic()
        reply: Reply = yield Statement(
            f"SELECT {TIME}, pg_backend_pid(), current_schema(), {self._set_up(info.backend_pid)}"
        )
        micros, process, schema, _ = reply.rows[0]
        self.clock.note(micros, asked, monotonic())
        # A pooler makes up the process that it names when it lets us in.
        wire.is_pooled = process != info.backend_pid if self.place.is_pooled is None else self.place.is_pooled
        self.is_pooled = wire.is_pooled
        self.schema = self.place.names.schema or schema
        self.end = (info.dbname, info.host, info.port)

    def _set_up(self, process: int) -> str:
        """Return the expression that sets up the session, unless it is a pooler's, which others share."""
        if self.place.is_pooled is True:
            return "NULL"
        given = self.place.parameters.get("options", "")
        sets = [f"set_config('{name}', '{value}', false)" for name, value in self._settings() if name not in given]
        setting = " || ".join(sets) or "NULL"
        return (
            setting if self.place.is_pooled is False else f"CASE WHEN pg_backend_pid() = {process} THEN {setting} END"
        )

    def _settings(self) -> list[tuple[str, str]]:
        return [
            ("statement_timeout", str(milliseconds(self.place.timeout))),
            # A process that was stopped in the middle of a transaction must not keep its locks for ever.
            ("idle_in_transaction_session_timeout", "30s"),
            ("default_transaction_isolation", "read committed"),
            *SETTINGS.items(),
        ]

    def _expect_version(self, version: int) -> None:
        if version < OLDEST:
            raise ConfigurationError(
                f"expected {self.place.shown} to be PostgreSQL {OLDEST // 10000} or later, "
                f"got {version // 10000}.{version % 10000}"
            )


def milliseconds(patience: float) -> int:
    """Return what the server may take when we wait for so many seconds."""
    return max(1, round(patience * ANSWERED_BY * 1000))
