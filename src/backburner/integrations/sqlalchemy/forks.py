"""What becomes of an application's connections in the processes that workers fork.

A connection that two processes use at once answers the one what the other asked.
"""

from __future__ import annotations

import os
from weakref import WeakSet

from sqlalchemy.pool import Pool, SingletonThreadPool, StaticPool

from backburner.integrations.sqlalchemy.sources import Source

_sources: WeakSet[Source] = WeakSet()
_parents: list[Pool] = []
"""The parent's pools, in a child: kept, so that no connection is closed there, which the server takes for goodbye."""


def open_anew_in_children(source: Source) -> None:
    """Let the engines of a source open connections of their own in every process that is forked."""
    _sources.add(source)


def _leave_to_parent() -> None:
    for source in _sources:
        for engine in source.engines:
            if not isinstance(engine.pool, (SingletonThreadPool, StaticPool)):  # as a database in memory has
                _parents.append(engine.pool)
                engine.dispose(close=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
