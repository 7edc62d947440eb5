"""The pictures show what is so today, can be drawn again, and load nothing from anywhere."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from backburner.core.lifecycle import MOVES, State
from docs.pictures import lifecycle
from tests.docs.blocks import DOCS, PAGES

PICTURES = sorted((DOCS / "pictures").glob("*.svg"))
MOST_BYTES = 60_000
SVG = "{http://www.w3.org/2000/svg}"

VARYING = (
    (r"\d+ms", "<while>"),
    (r":\d{4,5}\b", "<port>"),
    (r"process\d+", "<process>"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "<id>"),
)
"""What is another in each run of the demo, in lines without spaces."""


@pytest.fixture
def demo() -> ModuleType:
    """What draws the demo."""
    pytest.importorskip("rich", reason="only the developers' part of the environment can draw the demo")
    from docs.pictures import demo

    return demo


def lines_of(picture: str) -> list[str]:
    """Return the lines of text in a picture, without spaces; not those that are empty."""
    lines: defaultdict[float, str] = defaultdict(str)
    for text in ElementTree.fromstring(picture).iter(f"{SVG}text"):  # noqa: S314  # the picture is ours
        lines[float(text.attrib["y"])] += text.text or ""
    return [constant(line) for _, line in sorted(lines.items()) if line.strip()]


def constant(line: str) -> str:
    line = "".join(line.split())
    for pattern, word in VARYING:
        line = re.sub(pattern, word, line)
    return line


@pytest.mark.timeout(120)  # the demo is a mail server, a page and a worker
def test_the_picture_of_the_demo_shows_what_it_prints(demo: ModuleType) -> None:
    printed = demo.told()
    expected = [constant(line) for line in ("$ make demo", *printed.splitlines()) if line.strip()]
    for picture in (demo.PICTURE.read_text(encoding="utf-8"), demo.draw(printed)):
        shown = lines_of(picture)
        shown.remove("backburner")  # the title of the window
        assert shown == expected, "`make pictures` draws it again"


def test_the_picture_of_the_lifecycle_is_drawn_from_the_table_of_moves() -> None:
    picture = lifecycle.PICTURE.read_text(encoding="utf-8")
    assert picture == lifecycle.draw(), "`make pictures` draws it again"
    arrows = re.findall(r"<title>(\w+) → (\w+): (.+?)</title><path .+?</text>", picture)
    shown = {(move, begin, end) for begin, end, moves in arrows for move in moves.split(", ")}
    assert shown == {(str(move), str(begin), str(end)) for move, (begins, end) in MOVES.items() for begin in begins}


def test_every_state_has_a_place_of_its_own_in_the_picture() -> None:
    assert lifecycle.PLACES.keys() == set(State)
    assert len(set(lifecycle.PLACES.values())) == len(State)


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_is_small_and_loads_nothing(picture: Path) -> None:
    source = picture.read_text(encoding="utf-8")
    assert len(source.encode()) < MOST_BYTES
    assert re.findall(r"@(?:import|font-face)|href=|src=|<script|<image", source) == []
    assert set(re.findall(r"url\((.)", source)) <= {"#"}


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_is_on_a_page_and_described_there(picture: Path) -> None:
    shown = [found for page in PAGES for found in re.findall(r"!\[([^\]]*)\]\(\S*?([\w-]+\.svg)\)", page.read_text())]
    described = [description for description, name in shown if name == picture.name]
    assert described
    assert all(len(description.split()) > 5 for description in described)
