"""How MariaDB and MySQL perform the statements of an operation, and what is wrong with that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pymysql.connections import Connection
from pymysql.cursors import DictCursor

from backburner.core import ops
from backburner.core.errors import InvalidState
from backburner.core.ops import Op, Statement
from backburner.stores.sql.mysql.joining import JoinedSession
from backburner.stores.sql.mysql.store import MySQLStore
from backburner.stores.sql.mysql.together import Together
from backburner.stores.sql.mysql.wires import bound

Row = dict[str, Any]
"""What EXPLAIN says of one table."""

BIG = re.compile(r"(backburner_)?(jobs|ready|finished)")
"""The tables that grow, by their names or those that statements give them."""

EXPLAINABLE = re.compile(r"(SELECT|INSERT|UPDATE|DELETE)\b")

LIMITED = re.compile(r"\bLIMIT (\d+)$")

PAGES = "SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_read_requests'"
ROWS = "SHOW SESSION STATUS LIKE 'Handler_read_%'"


class Explained(NamedTuple):
    """A statement and how it was performed."""

    template: str
    text: str
    plan: Sequence[Row]
    rows_read: int
    """Those of the tables, and those of the list that was given."""
    pages: int
    """How many pages of 16 kB the server looked at; the same one twice counts twice. Nobody else may use the server."""

    @property
    def complaints(self) -> list[str]:
        """What may cost more the more jobs there are."""
        return list(complaints(self.plan, self.text))

    def __str__(self) -> str:
        return "\n".join([self.text, f"{self.rows_read} rows, {self.pages} pages", *map(str, self.plan)])


class ExplainingSession:
    """Executes what an operation yields on a connection, in the transaction that is open there, and explains it."""

    def __init__(self, connection: Connection[Any], store: MySQLStore) -> None:
        self._connection = connection
        self._session = JoinedSession(connection, store._server)
        self.explained: list[Explained] = []

    def execute(self, command: Any) -> Any:
        """Execute one command and return its reply."""
        if isinstance(command, Together):
            return [self._performed(statement) for statement in command.statements]
        return self._performed(command) if isinstance(command, Statement) else self._session.execute(command)

    def explain(self, op: Op[Any]) -> list[Explained]:
        """Run an operation, undo it, and return how each of its statements was performed."""
        self.explained = []
        self._connection.begin()
        try:
            ops.run(op, self)
        except InvalidState:
            pass  # after the job was looked up, which is what is looked at
        finally:
            self._connection.rollback()
        return self.explained

    def _performed(self, statement: Statement) -> Any:
        text = bound(self._connection, statement)
        if not EXPLAINABLE.match(text):
            return self._session.execute(statement)
        plan = self._asked(f"EXPLAIN FORMAT=TRADITIONAL {text}")
        rows, pages = self._counted(ROWS), self._counted(PAGES)
        reply = self._session.execute(statement)
        of_asking = 2 * self._cost_of_counting
        pages = self._counted(PAGES) - pages
        rows = self._counted(ROWS) - rows - of_asking
        self.explained.append(Explained(statement.text, text, plan, rows, pages))
        return reply

    @property
    def _cost_of_counting(self) -> int:
        """The rows that are read to count rows."""
        first = self._counted(ROWS)
        return self._counted(ROWS) - first

    def _counted(self, text: str) -> int:
        return sum(int(row["Value"]) for row in self._asked(text))

    def _asked(self, text: str) -> Sequence[Row]:
        with self._connection.cursor(DictCursor) as cursor:
            cursor.execute(text)
            return list(cursor.fetchall())


def complaints(plan: Sequence[Row], text: str) -> Iterator[str]:
    """Yield what is wrong with a plan.

    A table that grows may only be read along an index from a place that is given, or from its beginning on, as long as
    there is a LIMIT and no condition. What comes from such a table may not be sorted.
    """
    for row in plan:
        if row["rows"] is None or not is_big(row):  # what an INSERT with VALUES says of its table has no rows
            continue
        if row["type"] == "ALL" or (row["type"] == "index" and not is_beginning(row, text)):
            yield f"reads all of {row['table']}"
        if re.search("filesort|temporary", row["Extra"] or ""):
            yield f"sorts {row['table']}"
        if "join buffer" in (row["Extra"] or ""):
            yield f"keeps rows in a buffer to join {row['table']}"


def is_big(row: Row) -> bool:
    """Say whether a line of a plan is about a table that grows."""
    return bool(BIG.fullmatch(row["table"] or ""))


def is_beginning(row: Row, text: str) -> bool:
    """Say whether an index is read from its beginning on, as far as a LIMIT says."""
    limit = LIMITED.search(text)
    return limit is not None and int(row["rows"]) <= int(limit[1]) and "where" not in (row["Extra"] or "")
