"""Records: objects that live in a database, and are written by class and key instead of by value.

A kind of records is a `RecordKind`; the integrations have one for each library. Built in is the kind of plain models,
classes with these methods:

    __job_key__(self)            the key, of types that a handler can hold; None while the record is not saved
    __job_load__(cls, key)       a classmethod: the record of this key, None when it is gone
    __job_attributes__(self)     optional: what the handler shows; the public attributes if it is missing
    __job_secrets__              optional: names of attributes that the handler does not show
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

from backburner.core.members import MISSING, find_member


@dataclass(frozen=True, eq=False, slots=True)
class LateKey:
    """The key of a record that gets one only when it is written, in a transaction that is still open.

    A token stands for it in the handler until then; see `Codec.fill`.
    """

    record: Any
    token: str = field(default_factory=lambda: uuid4().hex)


class RecordKind(Protocol):
    """How records of one library are recognised, named by a key, and read again."""

    def recognises(self, cls: type) -> bool:
        """Say whether instances of this class are records of this kind."""

    def key(self, record: Any) -> Any:
        """Return the key of a record, or a LateKey; None when it is not saved, or deleted."""

    def connection(self, record: Any) -> object | None:
        """Return what `connection=` would be for a job about this record to be in its transaction; None: nothing."""

    def attributes(self, record: Any) -> Mapping[str, Any]:
        """Return what the handler shows of a record. Must not ask the database."""

    def load(self, cls: Any, key: Any) -> Any:
        """Return the record with this key as it is now; None when it is gone."""


class PlainModels:
    """The kind of classes with `__job_key__` and `__job_load__`."""

    def recognises(self, cls: type) -> bool:
        return find_member(cls, "__job_key__") is not MISSING and find_member(cls, "__job_load__") is not MISSING

    def key(self, record: Any) -> Any:
        return record.__job_key__()

    def connection(self, record: Any) -> object | None:  # noqa: ARG002  # such a class has its own ways to be stored
        return None

    def attributes(self, record: Any) -> Mapping[str, Any]:
        if find_member(type(record), "__job_attributes__") is not MISSING:
            shown: Mapping[str, Any] = record.__job_attributes__()
            return shown
        return getattr(record, "__dict__", {})

    def load(self, cls: Any, key: Any) -> Any:
        return cls.__job_load__(key)


def kind_of(cls: type, kinds: Iterable[RecordKind]) -> RecordKind | None:
    """Return the first kind that recognises a class."""
    return next((kind for kind in kinds if kind.recognises(cls)), None)
