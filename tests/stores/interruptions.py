"""Raises a JobTimeout at each point where one may be raised, and says how many points there were.

Python calls signal handlers where a function begins and where a call of a C function has ended: these are the points.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable
from typing import Any

from backburner.core.errors import JobTimeout
from backburner.worker.watchdog import forget_exception


class Interruption:
    """Raises a JobTimeout at the n-th point in files of these folders, functions that are left out aside."""

    def __init__(self, point: int, folders: str, left_out: frozenset[str] = frozenset()) -> None:
        self._left = point
        self._places = re.compile(rf"[/\\]({folders})[/\\]")
        self._left_out = left_out
        self.was_raised = False

    def __call__(self, frame: Any, event: str, argument: object) -> None:
        if event not in ("call", "c_return") or not self._places.search(frame.f_code.co_filename):
            return
        if frame.f_code.co_qualname in self._left_out:
            return
        self._left -= 1
        if self._left == 0:
            self.was_raised = True
            raise JobTimeout

    def reaches(self, call: Callable[[], object]) -> bool:
        """Call something, interrupted at that point; return whether it came so far."""
        forget_exception(threading.get_ident())  # threads of earlier tests may have ended before they raised theirs
        before = sys.getprofile()
        sys.setprofile(self)
        try:
            call()
        except JobTimeout:
            pass
        finally:
            sys.setprofile(before)
        return self.was_raised


def points(check: Callable[[int], bool], step: int = 1) -> int:
    """Check at points all along an operation, until it ends before it is interrupted; return how many points it has."""
    point = 1
    while check(point):
        point += step
    return point
