"""What the caller of a job lends it that is performed at once instead of stored: its connection and its records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from backburner.core.records import LateKey


class _Lent:
    """What is lent to one job."""

    def __init__(self, connection: object | None, late: Iterable[LateKey]) -> None:
        self.connection = connection
        self.records = {awaited.token: awaited.record for awaited in late}


_lent: ContextVar[_Lent | None] = ContextVar("backburner_lent", default=None)


@contextmanager
def lending(connection: object | None, late: Iterable[LateKey]) -> Iterator[None]:
    """Lend what is performed within the block the connection on which it would be stored, and records without a key."""
    token = _lent.set(_Lent(connection, late))
    try:
        yield
    finally:
        _lent.reset(token)


def lent_connection() -> object | None:
    """Return the connection of whoever has a job performed at once."""
    lent = _lent.get()
    return None if lent is None else lent.connection


def lent_record(key: Any) -> Any:
    """Return the record for which a token stands in the handler, as it has no key yet; None for every other key."""
    lent = _lent.get()
    return lent.records.get(key) if lent is not None and isinstance(key, str) else None
