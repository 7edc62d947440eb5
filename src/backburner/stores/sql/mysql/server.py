"""A MySQL or MariaDB database as one process knows it: how to connect, and what time it is there."""

from __future__ import annotations

import re
from time import monotonic
from typing import Any

import pymysql
from pymysql import converters
from pymysql.connections import Connection
from pymysql.constants import CLIENT, CR, FIELD_TYPE

from backburner.core.errors import ConfigurationError
from backburner.core.ops import Op, Reply, Statement
from backburner.stores.sql.clock import DatabaseClock
from backburner.stores.sql.mysql.dialect import MYSQL
from backburner.stores.sql.mysql.errors import Explainer
from backburner.stores.sql.mysql.url import Place
from backburner.stores.sql.mysql.wires import Wire, inside

OLDEST = {True: (10, 6), False: (8, 0)}
"""MariaDB, and MySQL."""

ANSWERED_BY = 0.9
"""The server gives up waiting for a lock, for the last time, at this part of the time after which we do."""

TRIES = 6
"""How often an operation waits for a lock; see `Repeats`."""

CONNECT_TIMEOUT = 10.0

MODE = "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
"""What does not fit is an error, whatever the server's own mode says."""

USUAL = "autocommit = 1, completion_type = 0, sql_safe_updates = 0"
"""What servers may have otherwise for new sessions; PyMySQL takes the first for granted."""

INTEGERS = (FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.INT24, FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG)

CONVERSIONS: dict[Any, Any] = {**converters.encoders, **dict.fromkeys(INTEGERS, int)}
"""All that we need, whatever the application has done to PyMySQL's own."""

TIME = f"SELECT {MYSQL.clock}"
ACQUAINTANCE = f"{TIME}, VERSION(), @@max_allowed_packet"


class Server:
    """Makes connections and keeps what was learned when they were made."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.explainer: Explainer = Explainer(place)
        self.clock: DatabaseClock = DatabaseClock()
        self.longest: int | None = None
        """Bytes that the server takes at once, once that is known."""

    def connect(self) -> Wire:
        """Make a connection. Raises ConfigurationError or StoreUnavailable."""
        timeout = self.place.timeout
        try:
            wire = Wire(
                Connection(
                    **self.place.parameters,
                    charset="utf8mb4",
                    client_flag=CLIENT.MULTI_STATEMENTS,
                    conv=CONVERSIONS,
                    autocommit=True,
                    connect_timeout=min(timeout, CONNECT_TIMEOUT),
                    read_timeout=timeout,
                    write_timeout=timeout,
                    program_name="backburner",
                ),
                self.explainer,
            )
            self._expect_encryption(wire)
            self._get_acquainted(wire)
        except pymysql.Error as error:
            raise self.explainer.refused(error) from self.explainer.cause(error)
        except (OSError, RuntimeError, ValueError) as error:  # before anything was sent
            raise self.explainer.unusable(error) from self.explainer.cause(error)
        return wire

    def ask_the_time(self) -> Op[None]:
        """Set our clock by the database's."""
        asked = monotonic()
        reply: Reply = yield Statement(TIME)
        self.clock.note(reply.rows[0][0], asked, monotonic())

    def _get_acquainted(self, wire: Wire) -> None:
        """Learn all that we want to know of the other side, and set up the session, in one round trip."""
        asked = monotonic()
        *_, reply = wire.execute([*map(Statement, self._settings()), Statement(ACQUAINTANCE)])
        micros, version, longest = reply.rows[0]
        self.longest = wire.longest = longest
        self.clock.note(micros, asked, monotonic())
        self._expect_version(version)

    def _settings(self) -> list[str]:
        wait = max(1, int(self.place.timeout * ANSWERED_BY / TRIES))
        return [
            # REPEATABLE READ locks the gaps between rows, and lets workers wait for those who enqueue.
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
            f"SET SESSION sql_mode = '{MODE}', innodb_lock_wait_timeout = {wait}, lock_wait_timeout = {wait}, {USUAL}",
        ]

    def _expect_encryption(self, wire: Wire) -> None:
        """Raise what PyMySQL raises from 1.2 on: before, it went without what was asked for."""
        if self.place.wants_encryption and not inside(wire.connection)._secure:
            raise pymysql.err.OperationalError(CR.CR_SSL_CONNECTION_ERROR, "the server does not support SSL")

    def _expect_version(self, version: str) -> None:
        is_mariadb = "mariadb" in version.lower()
        # Some MariaDBs say 5.5.5- first, for clients that would take 10 for 1.
        found = re.match(r"(?:5\.5\.5-)?(\d+)\.(\d+)", version)
        number = (int(found[1]), int(found[2])) if found else (0, 0)
        if number < OLDEST[is_mariadb]:
            raise ConfigurationError(
                f"expected {self.place.shown} to be MySQL 8.0 or MariaDB 10.6 or later, got {version}"
            )
