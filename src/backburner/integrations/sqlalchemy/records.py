"""Mapped classes as a kind of records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import inspect
from sqlalchemy.orm import InstanceState, Mapper, Session, object_session

from backburner.core.records import LateKey
from backburner.core.secrecy import is_secret

_shown: WeakKeyDictionary[Mapper[Any], tuple[str, ...]] = WeakKeyDictionary()


def is_mapped(cls: type) -> bool:
    """Say whether a class itself is mapped, which one that is only derived from such a class is not."""
    manager = cls.__dict__.get("_sa_class_manager")
    return manager is not None and manager.is_mapped


def key_of(record: Any) -> Any:
    """Return the primary key of a record, a tuple when it has several columns.

    A LateKey while the record is new in a session; None when it is in no session and was never saved, or is deleted.
    """
    state: InstanceState[Any] = inspect(record)
    if state.pending:
        return LateKey(record)
    identity = state.identity
    if identity is None or state.deleted or state.was_deleted or _is_to_be_deleted(state, record):
        return None
    return identity if len(identity) > 1 else identity[0]


def attributes_of(record: Any) -> Mapping[str, Any]:
    """Return the columns that are loaded. What has expired, or is deferred, is left out: it would have to be read."""
    state: InstanceState[Any] = inspect(record)
    loaded = state.dict
    return {name: loaded[name] for name in _shown_of(state.mapper) if name in loaded}


def held_by(session: Session, cls: Any, key: Any) -> Any:
    """Return the record of this key that a session holds, without asking the database; None when it holds none."""
    mapper: Mapper[Any] = inspect(cls)
    found = session.identity_map.get(mapper.identity_key_from_primary_key(key if isinstance(key, tuple) else (key,)))
    return found if isinstance(found, cls) else None


def _is_to_be_deleted(state: InstanceState[Any], record: Any) -> bool:
    session = object_session(record)
    return session is not None and state.persistent and record in session.deleted


def _shown_of(mapper: Mapper[Any]) -> tuple[str, ...]:
    """Return the attributes to be shown. One whose column has the name of a secret is none, whatever it is called."""
    names = _shown.get(mapper)
    if names is None:
        names = _shown[mapper] = tuple(
            attribute.key
            for attribute in mapper.column_attrs
            if not any(is_secret(str(getattr(column, "name", ""))) for column in attribute.columns)
        )
    return names
