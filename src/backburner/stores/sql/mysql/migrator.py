"""Migrating where a statement that defines tables cannot be undone, and ends the transaction that it is in."""

from __future__ import annotations

from contextlib import suppress

from backburner.core.errors import SchemaMissing
from backburner.core.ops import Op, Reply, Statement
from backburner.core.schema import SchemaState
from backburner.stores.sql.migrate import Migrator
from backburner.stores.sql.mysql.errors import AlreadyDone
from backburner.stores.sql.troubles import Locked


class MySQLMigrator(Migrator):
    """One who migrates waits for the other; what an interrupted one has done is found and left alone."""

    def state(self) -> Op[SchemaState]:
        # Not information_schema, where those who lack rights do not see the tables either.
        try:
            version: Reply = yield Statement(self._sql["schema_version"])
        except SchemaMissing:
            return SchemaState(0, self.needed)
        return SchemaState(version.rows[0][0], self.needed, version.rows[0][1])

    def migrate(self) -> Op[list[str]]:
        turn: Reply = yield Statement(self._sql["take_turn"])
        if turn.rows[0][0] != 1:
            raise Locked("somebody else is migrating these tables, and has not finished for a minute: try again")
        try:
            names = yield from self._apply()
        except Exception:
            yield Statement(self._sql["end_turn"])
            raise
        yield Statement(self._sql["end_turn"])
        return names

    def _perform(self, text: str) -> Op[None]:
        with suppress(AlreadyDone):  # only MariaDB has ADD COLUMN IF NOT EXISTS
            yield Statement(text)
