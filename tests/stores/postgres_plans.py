"""How PostgreSQL performs the statements of an operation, and what is wrong with that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg
from psycopg.pq import ExecStatus

from backburner.core import ops
from backburner.core.ops import Op, Statement
from backburner.stores.sql.base import LOOK
from backburner.stores.sql.postgres.joining import JoinedSession
from backburner.stores.sql.postgres.opening import FREELY
from backburner.stores.sql.postgres.store import PostgresStore
from backburner.stores.sql.postgres.wires import Cursor

Node = dict[str, Any]

BIG = re.compile(r"backburner_(jobs|finished\w*)")
"""The tables that grow."""
GIVEN = re.compile(r"\(id = ANY \(|backburner_jobs_running")
"""In the scan of jobs by their ids, and of running ones, of which there are never many."""
GREEDY = {"Sort", "Incremental Sort", "Hash Join"}
"""What must have read all that is below, or at least of one side, before it gives anything."""
PASSING = {"LockRows", "Append", "Merge Append"}
"""What asks for no more rows than it is asked for."""
NAME = re.compile(r"%\((\w+)\)s")
CURSORS = {False: Cursor, True: psycopg.ClientCursor}
"""By whether statements are prepared: `EXECUTE` takes values that stand in the text."""


class Explained(NamedTuple):
    """A statement and how it was performed."""

    text: str
    plan: Node

    @property
    def pages(self) -> int:
        """How many pages of 8 kB it looked at; one that it looked at twice counts twice."""
        return int(self.plan["Shared Hit Blocks"]) + int(self.plan["Shared Read Blocks"])

    @property
    def complaints(self) -> list[str]:
        """What may cost more the more jobs there are."""
        return list(complaints(self.plan))

    def __str__(self) -> str:
        return f"{self.text}\n\n{drawn(self.plan)}"


class ExplainingSession:
    """Executes what operations yield on a connection, and explains it.

    Where the connection prepares statements, the plan is that of the prepared one; else it is made for the parameters.
    """

    def __init__(self, connection: psycopg.Connection[Any], store: PostgresStore) -> None:
        self._connection = connection
        self._session = JoinedSession(connection, store._server)
        self._names: dict[tuple[object, ...], str] = {}
        self._explained: list[Explained] = []

    def explained(self, op: Op[Any]) -> list[Explained]:
        """Run an operation, undo it, and return how each of its statements was performed."""
        self._explained = []
        self._at_once(b"BEGIN")
        try:
            ops.run(op, self)
        finally:
            self._at_once(b"ROLLBACK")
        return self._explained

    def execute(self, command: Any) -> Any:
        """Execute one command and return its reply."""
        if command is LOOK and self._is_preparing:
            self._at_once(FREELY.removeprefix("; ").encode())
        if isinstance(command, Statement):
            self._at_once(b"SAVEPOINT before")
            self._explain(command)
            self._at_once(b"ROLLBACK TO SAVEPOINT before")
        return self._session.execute(command)

    @property
    def _is_preparing(self) -> bool:
        return self._connection.prepare_threshold is not None

    def _explain(self, statement: Statement) -> None:
        text, values = statement.text, statement.parameters
        if self._is_preparing:
            text, values = self._prepared(statement)
        cursor = CURSORS[self._is_preparing](self._connection)
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {text}".encode(), values or None)
        row: Any = cursor.fetchone()
        self._explained.append(Explained(statement.text, row[0][0]["Plan"]))

    def _prepared(self, statement: Statement) -> tuple[str, list[Any]]:
        """Return the statement that executes what the connection has prepared, and its parameters."""
        values = values_of(statement)
        key = statement.text, *map(kind_of, values)
        if key not in self._names:
            self._session.execute(statement)
            self._at_once(b"ROLLBACK TO SAVEPOINT before")
            self._names[key] = self._last_prepared()
        marks = f"({', '.join(['%s'] * len(values))})" if values else ""
        return f"EXECUTE {self._names[key]}{marks}", values

    def _last_prepared(self) -> str:
        cursor = psycopg.ClientCursor(self._connection)
        row: Any = cursor.execute("SELECT name FROM pg_prepared_statements ORDER BY prepare_time DESC").fetchone()
        return str(row[0])

    def _at_once(self, text: bytes) -> None:
        """Execute it without psycopg, which would forget what it has prepared."""
        assert self._connection.pgconn.exec_(text).status == ExecStatus.COMMAND_OK


def values_of(statement: Statement) -> list[Any]:
    """Return the parameters by number, as psycopg counts them."""
    parameters = statement.parameters
    if not isinstance(parameters, dict):
        return list(parameters)
    names = dict.fromkeys(NAME.findall(statement.text))
    return [parameters[name] for name in names]


def kind_of(value: object) -> object:
    """Return what psycopg prepares a statement anew for: another type, or an integer that needs more bytes."""
    bits = value.bit_length() if isinstance(value, int) else 0
    return type(value), (bits > 15) + (bits > 31)


def complaints(node: Node, parent: str = "") -> Iterator[str]:
    """Yield what is wrong with a plan.

    A table that grows may only be read along an index, from a place that is given; or from the end of one, as long as
    there is no filter and a LIMIT above. To sort or to join by hash is fine where all rows below come through a LIMIT
    (they are what a claim found), or were given by id, or are running.
    """
    kind = node["Node Type"]
    if kind in GREEDY and list(unlimited(node)):
        yield drawn(node)
    if is_big(node) and not is_along_an_index(node, parent):
        yield drawn(node)
    for child in node.get("Plans", ()):
        yield from complaints(child, parent if kind in PASSING else kind)


def is_big(node: Node) -> bool:
    """Say whether a node reads a table that grows."""
    reads = node["Node Type"] != "ModifyTable"
    return reads and bool(BIG.match(node.get("Relation Name", node.get("Index Name", ""))))


def is_along_an_index(node: Node, parent: str) -> bool:
    """Say whether a node reads no more than it must."""
    kind = node["Node Type"]
    if kind in ("Bitmap Heap Scan", "Tid Scan"):  # these read what was found before
        return True
    is_bounded = "Index Cond" in node or is_given(node) or (parent == "Limit" and "Filter" not in node)
    return "Index" in kind and is_bounded


def is_given(node: Node) -> bool:
    """Say whether a node gives only rows that were asked for by id, or that are running."""
    return any(GIVEN.search(str(node.get(name))) for name in ("Index Cond", "Recheck Cond", "Index Name"))


def unlimited(node: Node) -> Iterator[Node]:
    """Yield what reads a table below a node, for all that is known of the plan without end."""
    if node["Node Type"] == "Limit":
        return
    if is_big(node) and not is_given(node):
        yield node
    for child in node.get("Plans", ()):
        yield from unlimited(child)


def drawn(node: Node, depth: int = 0) -> str:
    """Return a plan as text."""
    on = node.get("Index Name") or node.get("Relation Name") or node.get("CTE Name") or ""
    conditions = "  ".join(f"{name}: {node[name]}" for name in ("Index Cond", "Filter", "Sort Key") if name in node)
    rows, loops = node.get("Actual Rows"), node.get("Actual Loops")
    line = f"{'  ' * depth}{node['Node Type']} {on} ({rows} rows, {loops} times)  {conditions}".rstrip()
    return "\n".join([line, *(drawn(child, depth + 1) for child in node.get("Plans", ()))])
