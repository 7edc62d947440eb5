"""What a handler says at a glance: whose code it names. Nothing is looked up, made or loaded."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import NamedTuple

KEPT = 100
"""How many glances are remembered: a worker asks up to three times for a job, in quick succession."""


class Glance(NamedTuple):
    """What stands in a handler."""

    code: str
    """The name of the function, or of the class or module whose method is called."""
    method: str | None
    """None: it is a function."""
    reads_records: bool
    """Whether records are read from a database when the payload is loaded."""


@lru_cache(KEPT)
def glance(handler: str) -> Glance | None:
    """Return what a handler names; None when it is not to be read."""
    try:
        body = json.loads(handler)
        code, method = _code_of(body)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    return Glance(code, method, '"$record":' in handler) if isinstance(code, str) else None


def _code_of(body: dict[str, dict[str, object]]) -> tuple[object, str | None]:
    if "object" in body:
        return body["object"]["$object"], "perform"
    call = body["call"]
    if "function" in call:
        return call["function"], None
    receiver = call["on"]
    name, *_ = receiver.values()  # type: ignore[attr-defined]  # an AttributeError is caught
    return name, str(call["method"])
