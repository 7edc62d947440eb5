"""The marks of parameters: those of the store's own driver, turned into those of the driver that SQLAlchemy uses.

The stores write `?` for SQLite and `%s` for the others, and for psycopg also `%b`, which is a `%s` in binary.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy.engine.interfaces import Dialect

from backburner.core.ops import Statement

_MARK = re.compile("%[sbt%]")


def translated(statement: Statement, dialect: Dialect) -> tuple[str, Any]:
    """Return text and parameters of a statement as the driver of a dialect takes them."""
    text, parameters = statement
    if dialect.name == "postgresql" and dialect.driver != "psycopg":
        text = _numbered(text) if dialect.paramstyle == "numeric_dollar" else text.replace("%b", "%s")
    if not parameters or isinstance(parameters, Mapping):
        return text, parameters or None
    # psycopg2 knows UUIDs only once somebody has registered them; text will do, as the statements say what it is.
    return text, tuple(map(_as_text, parameters) if dialect.driver.startswith("psycopg2") else parameters)


@lru_cache(maxsize=512)
def _numbered(text: str) -> str:
    """Return a text with `$1` for the first mark, and so on."""
    numbers = count(1)
    return _MARK.sub(lambda mark: "%" if mark[0] == "%%" else f"${next(numbers)}", text)


def _as_text(value: object) -> object:
    if isinstance(value, UUID):
        return str(value)
    return list(map(_as_text, value)) if isinstance(value, list) else value
