"""What is the caller's while a job is performed at once, instead of being stored: its connection and its records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from backburner.core.records import LateKey


class _Caller(NamedTuple):
    connection: object | None
    records: Mapping[str, Any]
    """By the tokens that stand for their keys."""


_caller: ContextVar[_Caller | None] = ContextVar("backburner_caller", default=None)


@contextmanager
def called_with(connection: object | None, late: Iterable[LateKey]) -> Iterator[None]:
    """Let what is performed within the block find the connection on which it would be stored, and unsaved records."""
    token = _caller.set(_Caller(connection, {awaited.token: awaited.record for awaited in late}))
    try:
        yield
    finally:
        _caller.reset(token)


def callers_connection() -> object | None:
    """Return the connection of whoever has a job performed at once."""
    caller = _caller.get()
    return None if caller is None else caller.connection


def callers_record(key: Any) -> Any:
    """Return the record for which a token stands in the handler, as it has no key yet; None for every other key."""
    caller = _caller.get()
    return caller.records.get(key) if caller is not None and isinstance(key, str) else None
