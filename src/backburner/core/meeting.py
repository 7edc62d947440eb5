"""Which records a payload that is being written refers to: they say in which transaction its job belongs."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from backburner.core.records import LateKey, RecordKind


class Met:
    """The records that were met, as they stand in the payload: the receiver comes first."""

    def __init__(self) -> None:
        self.late: list[LateKey] = []
        """The keys that are still to come."""
        self._records: list[tuple[RecordKind, Any]] = []

    def note(self, kind: RecordKind, record: Any, key: Any) -> None:
        """Take note of a record and of its key."""
        self._records.append((kind, record))
        if isinstance(key, LateKey):
            self.late.append(key)

    def connection(self) -> object | None:
        """Return the connection of the first record that is on one; those without their key go before all others."""
        if not self._records:
            return None
        waiting = {id(late.record) for late in self.late}
        records = sorted(self._records, key=lambda met: id(met[1]) not in waiting)
        connections = (kind.connection(record) for kind, record in records)
        return next((connection for connection in connections if connection is not None), None)


_met: ContextVar[Met | None] = ContextVar("backburner_met", default=None)


class meeting:  # noqa: N801  # reads like the function that it is; a class costs a quarter of a generator
    """Collect the records that are met within the block; only there may their keys come later."""

    __slots__ = ("_token",)

    def __enter__(self) -> Met:
        met = Met()
        self._token = _met.set(met)
        return met

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        _met.reset(self._token)


def being_met() -> Met | None:
    """Return where records are to be noted just now."""
    return _met.get()
