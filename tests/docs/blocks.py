"""The pages of the documentation and the blocks of code in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]

_BLOCK = re.compile(r"^(?:<!-- not run: (?P<reason>.+?) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
_FILE = re.compile(r"# (?P<path>[\w/]+\.py)\n")


class Block(NamedTuple):
    """A fenced block; `not_run` is the reason why it is only to be looked at."""

    language: str
    text: str
    line: int
    not_run: str | None

    @property
    def file(self) -> str | None:
        """The path that its first line names: the block is the content of that file."""
        named = _FILE.match(self.text)
        return named["path"] if named else None


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks_of(page: Path, *languages: str) -> Iterator[Block]:
    """Yield the blocks of a page, those of some languages only if any are named."""
    yield from blocks_in(page.read_text(), *languages)


def blocks_in(source: str, *languages: str) -> Iterator[Block]:
    """Yield the blocks of a text."""
    for found in _BLOCK.finditer(source):
        if not languages or found["language"] in languages:
            line = source.count("\n", 0, found.start("text")) + 1
            yield Block(found["language"], found["text"], line, found["reason"])
