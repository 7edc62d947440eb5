"""What may differ between SQL databases. A new one answers these questions; the operations are not written again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Dialect:
    """The answers of one database."""

    name: str
    """The folder of its statements and migrations."""
    mark: str
    """What stands in a statement for a parameter."""
    id_value: Callable[[UUID], object]
    """An id as a parameter."""
    list_value: Callable[[Iterable[str]], object]
    """Several texts as one parameter, for the statements that take several."""
    has_tag: str
    """The condition that a job has the tag which is its one parameter."""


def _json_array(texts: Iterable[str]) -> str:
    return json.dumps(list(texts))


SQLITE = Dialect(
    name="sqlite",
    mark="?",
    id_value=str,
    list_value=_json_array,
    has_tag="EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)",
)
