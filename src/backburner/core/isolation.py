"""Whether a job is performed in a process of its own: an option that is written into the handler.

    {"v":1,"isolation":"process","call":{"function":"shop.jobs:resize","args":[1]}}

It stands there and not in a column of its own, so that tables of any version can hold it.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Literal

Isolation = Literal["process", "none"]

PROCESS: Isolation = "process"
"""In a process of its own, which ends with the job."""

NONE: Isolation = "none"
"""In the worker's own process, even where the worker isolates all jobs that do not say otherwise."""

KEY = "isolation"

_BARE = '{"v":1,'
_KEPT = 100
"""How many handlers that may say something are remembered: a worker asks several times for a job."""


def check_isolation(value: object) -> Isolation:
    """Return how a job is to be isolated; raise ValueError when it is none of the ways."""
    if value == PROCESS:
        return PROCESS
    if value == NONE:
        return NONE
    raise ValueError(f"expected 'process' or 'none', got {value!r}")


def isolation_of(handler: str) -> Isolation | None:
    """Return what a handler says; None when it says nothing, or nothing that is known."""
    return _parsed(handler) if '"isolation"' in handler else None


def with_isolation(handler: str, isolation: Isolation | None) -> str:
    """Return a handler, as the codec writes it, that says this instead of what it has said."""
    bare = without_isolation(handler)
    return bare if isolation is None else f'{_BARE}"{KEY}":"{isolation}",{bare.removeprefix(_BARE)}'


def without_isolation(handler: str) -> str:
    """Return a handler, as the codec writes it, that says nothing."""
    for isolation in (PROCESS, NONE):
        said = f'{_BARE}"{KEY}":"{isolation}",'
        if handler.startswith(said):
            return _BARE + handler.removeprefix(said)
    return handler


@lru_cache(_KEPT)
def _parsed(handler: str) -> Isolation | None:
    try:
        return check_isolation(json.loads(handler)[KEY])
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
