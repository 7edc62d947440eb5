"""Draws the states of a job and the moves between them, as `lifecycle.svg`: `make pictures`.

Where a state stands is decided here; which moves lead from it to others is read from the one table of moves. A move in
the table that is not in the picture, or the other way round, is found by the tests.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from backburner.core.lifecycle import FINISHED_STATES, MOVES, State

PICTURE = Path(__file__).with_suffix(".svg")


class Point(NamedTuple):
    """A place in the picture, or a way from one place to another."""

    x: float
    y: float

    def to(self, other: Point) -> Point:
        return Point(other.x - self.x, other.y - self.y)

    def moved(self, way: Point, times: float = 1) -> Point:
        return Point(self.x + way.x * times, self.y + way.y * times)

    def __str__(self) -> str:
        return f"{self.x:.0f} {self.y:.0f}"


PLACES = {
    State.BLOCKED: Point(170, 50),
    State.CANCELLED: Point(610, 50),
    State.QUEUED: Point(170, 220),
    State.RUNNING: Point(610, 220),
    State.SUCCEEDED: Point(845, 220),
    State.FAILED: Point(610, 370),
}
ENTRANCE = Point(170, 370)
SIZE = Point(925, 420)

HALF = Point(58, 20)
"""From the middle of a box to its corner."""

BEND = 0.12
"""How far an arrow that has another one beside it, back again, bends to its right: a part of its length."""

LOOP = 70
"""How far an arrow from a state to itself goes to the left."""

STYLE = """\
svg { color-scheme: light dark; --paper: #fff; --ink: #24292f; --line: #8b949e; --live: #ddf4ff; --done: #eaeef2 }
@media (prefers-color-scheme: dark) {
  svg { --paper: #161b22; --ink: #e6edf3; --line: #768390; --live: #12365c; --done: #30363d }
}
text { font: 15px system-ui, sans-serif; fill: var(--ink); text-anchor: middle; dominant-baseline: central }
.paper { fill: var(--paper); stroke: var(--line) }
.live { fill: var(--live); stroke: var(--line) }
.finished { fill: var(--done); stroke: var(--line) }
.state { font-weight: 600 }
.way { fill: none; stroke: var(--line); stroke-width: 1.5; marker-end: url(#tip) }
.move { font-style: italic; stroke: var(--paper); stroke-width: 6; paint-order: stroke; stroke-linejoin: round }
#tip path { fill: var(--line) }"""

FRAME = """\
<svg viewBox="0 0 {size.x} {size.y}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>The states of a job and the moves between them</title>
<style>
{style}
</style>
<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">\
<path d="M0 0L8 4L0 8z"/></marker>
<rect class="paper" x="0.5" y="0.5" width="{width}" height="{height}" rx="8"/>
{parts}
</svg>
"""


def draw() -> str:
    """Return the picture."""
    entrance = _arrow(ENTRANCE, PLACES[State.QUEUED], "enqueue", label_at=ENTRANCE)
    parts = [*(_between(*ends, moves) for ends, moves in _ways().items()), entrance, *map(_box, State)]
    return FRAME.format(size=SIZE, style=STYLE, width=SIZE.x - 1, height=SIZE.y - 1, parts="\n".join(parts))


def _ways() -> dict[tuple[State, State], list[str]]:
    """Return the moves from each state to each other one."""
    ways = defaultdict(list)
    for move, (begins, end) in MOVES.items():
        for begin in sorted(begins):
            ways[begin, end].append(str(move))
    return ways


def _between(begin: State, end: State, moves: list[str]) -> str:
    title = f"<title>{begin} → {end}: {', '.join(moves)}</title>"
    if begin is end:
        return f"<g>{title}{_loop(PLACES[begin], ', '.join(moves))}</g>"
    bend = BEND if (end, begin) in _ways() else 0
    return f"<g>{title}{_arrow(PLACES[begin], PLACES[end], ', '.join(moves), bend)}</g>"


def _arrow(begin: Point, end: Point, label: str, bend: float = 0, label_at: Point | None = None) -> str:
    """Draw an arrow from one box to another, with what it is called in its middle."""
    way = begin.to(end)
    middle = begin.moved(way, 0.5)
    top = middle.moved(Point(-way.y, way.x), bend)  # the curve comes half as far
    path = f"M{_edge(begin, top)}Q{top} {_edge(end, top)}"
    return _way(path) + _label(label_at or middle.moved(middle.to(top), 0.5), label)


def _loop(place: Point, label: str) -> str:
    left = place.x - HALF.x
    path = f"M{left} {place.y - 10}C{left - LOOP} {place.y - 40} {left - LOOP} {place.y + 40} {left} {place.y + 10}"
    return _way(path) + _label(Point(left - LOOP * 3 / 4, place.y), label)


def _edge(middle: Point, towards: Point) -> Point:
    """Return where the line from the middle of a box to a point leaves the box."""
    way = middle.to(towards)
    return middle.moved(way, min(half / abs(part) for half, part in zip(HALF, way, strict=True) if part))


def _way(path: str) -> str:
    return f'<path class="way" d="{path}"/>'


def _label(place: Point, text: str) -> str:
    return f'<text class="move" x="{place.x:.0f}" y="{place.y:.0f}">{text}</text>'


def _box(state: State) -> str:
    place = PLACES[state]
    kind = "finished" if state in FINISHED_STATES else "live"
    corner = place.moved(HALF, -1)
    size = f'width="{2 * HALF.x}" height="{2 * HALF.y}"'
    box = f'<rect class="{kind}" x="{corner.x}" y="{corner.y}" {size} rx="8"/>'
    return f'{box}<text class="state" x="{place.x}" y="{place.y}">{state}</text>'


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
