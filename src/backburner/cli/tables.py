"""Tables: aligned and cut to the width of a terminal, or, for programs, a line of tab-separated values for each row."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from backburner.cli import output
from backburner.core.text import printable

GAP = "  "
NARROWEST = 8
"""Columns are not cut to less."""
LONGEST = 1_000
"""Characters of a value that are shown at the most."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as people see it."""

    title: str
    is_number: bool = False
    may_be_cut: bool = False
    may_be_missing: bool = False
    """Left out where there is no room; the first such column first."""


Texts = tuple[Column, list[str]]
"""A column with what stands in it, its title first."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row: as people see it, and as programs do."""

    shown: Sequence[object]
    """A value for each column."""
    plain: Sequence[object]
    """Values that stay as they are from version to version: times in ISO 8601, nothing cut."""


def say_table(columns: Sequence[Column], rows: Sequence[Row], when_empty: str) -> None:
    """Write rows to stdout; on a terminal as a table, with a sentence when there are none."""
    if not output.is_terminal():
        for row in rows:
            output.say("\t".join(_cell(value) for value in row.plain))
    elif rows:
        for line in layout(columns, [row.shown for row in rows], output.width()):
            output.say(line)
    else:
        output.say(when_empty)


def layout(columns: Sequence[Column], rows: Sequence[Sequence[object]], width: int) -> list[str]:
    """Return the lines of a table that is at most so wide, as far as its columns may be cut or left out."""
    cells = [[column.title for column in columns], *([_cell(value) for value in row] for row in rows)]
    every = [(column, list(texts)) for column, texts in zip(columns, zip(*cells, strict=True), strict=True)]
    kept = _with_room(every, width)
    aligned = [_aligned(column, texts, room) for (column, texts), room in zip(kept, _fitted(kept, width), strict=True)]
    return [GAP.join(line).rstrip() for line in zip(*aligned, strict=True)]


def width_of(text: str) -> int:
    """Return how many places of a terminal a text takes."""
    return len(text) if text.isascii() else sum(map(_places, text))


def cut(text: str, width: int) -> str:
    """Return a text that takes at most so many places, with `…` where something is missing."""
    if width_of(text) <= width:
        return text
    kept = text
    while width_of(kept) > width - 1:
        kept = kept[: min(len(kept) - 1, width - 1)]
    return f"{kept}…"


def _with_room(columns: list[Texts], width: int) -> list[Texts]:
    """Return the columns for which there is room when each is as narrow as it may be."""
    kept = list(columns)
    for dispensable in [each for each in columns if each[0].may_be_missing]:
        if sum(map(_least, kept)) + len(GAP) * (len(kept) - 1) <= width:
            break
        kept.remove(dispensable)
    return kept


def _least(column: Texts) -> int:
    return min(_natural(column), NARROWEST) if column[0].may_be_cut else _natural(column)


def _natural(column: Texts) -> int:
    return max(map(width_of, column[1]))


def _fitted(columns: Sequence[Texts], width: int) -> list[int]:
    """Return the widths of columns; where there is not enough room, the widest ones give way."""
    widths = [_natural(column) for column in columns]
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - width
    flexible = [place for place, (column, _) in enumerate(columns) if column.may_be_cut]
    while excess > 0 and flexible:
        widest = max(flexible, key=lambda place: widths[place])
        if widths[widest] <= NARROWEST:
            break
        widths[widest] -= 1
        excess -= 1
    return widths


def _aligned(column: Column, texts: Sequence[str], width: int) -> list[str]:
    cells = [cut(text, width) for text in texts]
    padding = [" " * (width - width_of(cell)) for cell in cells]
    if column.is_number:
        return [space + cell for cell, space in zip(cells, padding, strict=True)]
    return [cell + space for cell, space in zip(cells, padding, strict=True)]


def _cell(value: object) -> str:
    return "" if value is None else printable(str(value), LONGEST)


def _places(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
