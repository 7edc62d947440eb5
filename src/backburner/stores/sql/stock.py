"""Things that are taken by one at a time and given back for certain."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")

SLICE = 0.05
"""Seconds after which somebody who waits looks again by himself: the word that something came back may be lost."""


class Stock(Generic[T]):
    """Things that threads take and give back; who gives back last is served first.

    ::

        held: list[Thing] = []
        returning = iter(held)
        try:
            stock.take(held, timeout)
            ...
        finally:
            stock.put_back(returning)

    An exception may be raised asynchronously between any two steps of Python, a JobTimeout for instance. So a thing
    moves from here into the caller's list, and back, within one call of a function written in C, which nothing can
    come in between; there is no lock that could be left locked.
    """

    def __init__(self, things: Iterable[T]) -> None:
        self._free = deque(things)
        self.put_back: Callable[[Iterable[T]], None] = self._free.extend
        """Give back what an iterator over the list gives. A second time, such an iterator has nothing left to give."""
        self._came_back = Lock()
        self._came_back.acquire()

    def take(self, held: list[T], timeout: float) -> bool:
        """Put one thing into an empty list; return False if none came back in so many seconds."""
        if self.take_now(held):
            return True
        deadline = monotonic() + timeout
        while not self.take_now(held):
            left = deadline - monotonic()
            if left <= 0:
                return False
            self._came_back.acquire(timeout=min(left, SLICE))
        self.say_so()  # two may have come back with one word
        return True

    def take_all(self, held: list[T]) -> None:
        """Put everything that is there into a list."""
        while self.take_now(held):
            pass

    def for_all(self, function: Callable[[T], object]) -> None:
        """Call a function for everything that nobody holds."""
        held: list[T] = []
        returning = iter(held)
        try:
            self.take_all(held)
            for thing in held:
                function(thing)
        finally:
            self._free.extendleft(returning)  # so that they lie as they lay

    def say_so(self) -> None:
        """Wake one of those who wait for something to come back."""
        if self._came_back.locked():
            with suppress(RuntimeError):  # somebody else was quicker
                self._came_back.release()

    def take_now(self, held: list[T]) -> bool:
        """Put one thing into a list; return False if there is none."""
        try:
            held.extend(islice(iter(self._free.pop, self), 1))
        except IndexError:
            return False
        return True
