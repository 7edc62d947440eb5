"""Values as PostgreSQL reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID


def storable(text: str) -> str:
    """Return text without the one character that PostgreSQL keeps in no text."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in text else text


def array(values: Iterable[Any]) -> str:
    """Return ids, numbers or texts as one parameter, NULL for None.

    The driver could do it as well, but takes longer for a short list than the database for the whole statement.
    """
    return f"{{{','.join(map(_element, values))}}}"


def ids(values: Iterable[UUID]) -> str:
    """Return ids as one parameter, in less time than `array` takes."""
    return f"{{{','.join([value.hex for value in values])}}}"


def numbers(values: Iterable[int]) -> str:
    """Return numbers as one parameter, in less time than `array` takes."""
    return f"{{{','.join(map(str, values))}}}"


def _element(value: Any) -> str:
    match value:
        case UUID():
            return value.hex
        case int():
            return str(value)
        case None:
            return "NULL"
    text = str(value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
