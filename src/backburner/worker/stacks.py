"""Where a job that runs is just now."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import takewhile
from types import FrameType
from typing import TYPE_CHECKING

from backburner.core.text import printable

if TYPE_CHECKING:
    from backburner.worker.roster import Performer

MOST = 20
"""Frames that are shown."""

OURS = ("backburner.worker.", "backburner.core.invoke", "backburner.core.payload")
"""Modules that lead from the worker to the job's own code."""

Place = tuple[FrameType, int]
"""A frame, and the line that it is at."""


def stack_of(performer: Performer) -> tuple[str, ...]:
    """Return `file:line function` of each frame of the job's own code, the innermost first; empty if it has ended."""
    thread, task = performer
    coroutine = None if task is None else task.get_coro()
    if coroutine is None or getattr(coroutine, "cr_running", False):
        places = list(_frames_of(sys._current_frames().get(thread)))
    else:
        places = _frames_awaited_by(coroutine)
    return tuple(map(_line, _without_ours(places)[:MOST]))


def _frames_of(frame: FrameType | None) -> Iterator[Place]:
    while frame is not None:
        yield frame, frame.f_lineno
        frame = frame.f_back


def _frames_awaited_by(awaited: object) -> list[Place]:
    """Follow a coroutine to what it awaits, and so on."""
    places: list[Place] = []
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is not None:
            places.insert(0, (frame, frame.f_lineno))
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
    return places


def _without_ours(places: list[Place]) -> list[Place]:
    """Leave out what leads from the worker to the job's own code."""
    own = takewhile(lambda place: not str(place[0].f_globals.get("__name__")).startswith(OURS), places)
    return list(own)


def _line(place: Place) -> str:
    frame, line = place
    return printable(f"{frame.f_code.co_filename}:{line} {frame.f_code.co_qualname}")
