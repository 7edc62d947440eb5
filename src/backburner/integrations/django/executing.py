"""Executing the statements of a store on a connection of Django's, with Django's own cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from typing import Any, TypeVar

from django.db import transaction
from django.db.utils import Error

from backburner.core.ops import Op, Reply, Statement
from backburner.core.ports import Store
from backburner.stores.sql.transactions import as_transaction, is_opening

T = TypeVar("T")


def executor(connection: Any) -> Callable[[Statement], Reply]:
    """Return a function that executes a statement on a connection."""
    marked = _TRANSLATIONS[connection.vendor]

    def execute(statement: Statement) -> Reply:
        with connection.cursor() as cursor:
            if statement.parameters:
                cursor.execute(marked(statement.text), statement.parameters)
            else:
                cursor.execute(statement.text)
            rows = [] if cursor.description is None else cursor.fetchall()
            return Reply(rows, cursor.rowcount)

    return execute


def run_on(connection: Any, store: Store, op: Op[T]) -> T:
    """Run an operation of a store's on a connection: in the atomic block that is there, or as one transaction.

    No savepoint is made, so an error of the database spoils that block, as Django's own do.
    """
    try:
        first = next(op)
    except StopIteration as stop:
        value: T = stop.value
        return value
    with _surrounding(connection, first):
        return store.run_by(as_transaction(op, first), executor(connection))


def _surrounding(connection: Any, first: object) -> AbstractContextManager[None]:
    """Return the block for an operation that begins with this command; a single statement needs no transaction."""
    if connection.in_atomic_block:
        return _spoiling(connection)
    if not is_opening(first) and connection.vendor != "sqlite":  # where the tables may have to be made before
        return nullcontext()
    atomic: AbstractContextManager[None] = transaction.atomic(using=connection.alias)
    return atomic


@contextmanager
def _spoiling(connection: Any) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if isinstance(error, Error) or isinstance(error.__cause__, Error):
            connection.needs_rollback = True
            connection.rollback_exc = error
        raise


@lru_cache(maxsize=512)
def _from_question_marks(text: str) -> str:
    """Return a statement of SQLite's as Django's cursor wants it; no text of ours has these signs in a literal."""
    return text.replace("%", "%%").replace("?", "%s")


@lru_cache(maxsize=512)
def _from_binary_marks(text: str) -> str:
    """Return a statement for whichever driver Django uses: only one of them knows marks for binary parameters."""
    return text.replace("%b", "%s")


def _as_it_is(text: str) -> str:
    return text


_TRANSLATIONS: dict[str, Callable[[str], str]] = {
    "sqlite": _from_question_marks,
    "postgresql": _from_binary_marks,
    "mysql": _as_it_is,
}
