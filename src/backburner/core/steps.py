"""Loops of a job that keep their place: what one attempt has done of them is not done again by the next.

The place of a job is a mark for each loop that was begun, by the name of the loop, as JSON values:

    {"0": {"ended": true}, "1": {"behind": 42}}

A loop without a name is called by its number in the attempt. When a loop passes an item, the loops that were begun
within it are forgotten, so that those of the next item begin anew.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Any, TypeVar

from backburner.core.errors import InvalidState
from backburner.core.job import Handle, Job

T = TypeVar("T")

BEHIND = "behind"
ENDED = "ended"

Cursor = Callable[[T], Any] | None


def steps(
    job: Job[Any], items: Iterable[T] | Callable[[Any], Iterable[T]], cursor: Cursor[T], name: str | None
) -> Iterator[T]:
    """Yield the items that are not done yet; see `Job.steps`."""
    loop = _Loop(job, cursor, name)
    if loop.has_ended:
        return
    for item in loop.items_of(items):
        if loop.skips(item):
            continue
        loop.handle.before_step(job)
        yield item
        loop.passed(item)
        loop.handle.after_step(job)
    loop.end()


async def asteps(
    job: Job[Any],
    items: AsyncIterable[T] | Iterable[T] | Callable[[Any], AsyncIterable[T] | Iterable[T]],
    cursor: Cursor[T],
    name: str | None,
) -> AsyncIterator[T]:
    """Yield the items that are not done yet; see `Job.asteps`."""
    loop = _Loop(job, cursor, name)
    if loop.has_ended:
        return
    async for item in _async(loop.items_of(items)):
        if loop.skips(item):
            continue
        loop.handle.before_step(job)
        yield item
        loop.passed(item)
        await loop.handle.aafter_step(job)
    loop.end()


class _Loop:
    """One loop of one attempt."""

    def __init__(self, job: Job[Any], cursor: Callable[[Any], Any] | None, name: str | None) -> None:
        if job.handle is None:
            raise InvalidState(f"only a running job has steps, this one is {job.state.value}")
        self.handle: Handle = job.handle
        self._job = job
        self._cursor = cursor
        self._number = len(self.handle.loops)
        self._name = str(self._number) if name is None else name
        if self._name in self.handle.loops:
            raise InvalidState(f"a loop named {self._name!r} was begun before in this attempt: give each its own name")
        self.handle.loops.append(self._name)
        mark = (job.place or {}).get(self._name, {})
        self.has_ended = bool(mark.get(ENDED))
        self._behind = mark.get(BEHIND)
        """What was remembered of the last item that is done."""
        self._is_behind = self._behind is None
        """Whether all items are passed by that earlier attempts have done."""
        self._place = 0
        """How many items came by."""

    def items_of(self, items: Any) -> Any:
        """Return what is to be iterated over."""
        if not callable(items):
            return items
        self._is_behind = True
        self._place = self._behind if self._cursor is None and self._behind is not None else 0
        return items(self._behind)

    def skips(self, item: Any) -> bool:
        """Say whether an item that comes by is done."""
        if self._is_behind:
            return False
        self._place += 1
        self._is_behind = self._remembered(item) == self._behind
        return True

    def passed(self, item: Any) -> None:
        """Note that an item is done."""
        self._place += 1
        self._mark({BEHIND: self._remembered(item)})

    def end(self) -> None:
        """Note that all items are done. Raises InvalidState when the one behind which it was to go on never came."""
        if not self._is_behind and self._cursor is not None:
            raise InvalidState(
                f"no item has the cursor {self._behind!r} any more, behind which this job was to go on: pass a "
                "callable that takes the cursor and returns the items behind it"
            )
        self._mark({ENDED: True})

    def _remembered(self, item: Any) -> Any:
        """Return what is remembered of an item that has just come by."""
        return self._place if self._cursor is None else _json_value(self._cursor(item))

    def _mark(self, mark: dict[str, Any]) -> None:
        loops = self.handle.loops
        within = loops[self._number + 1 :]
        del loops[self._number + 1 :]
        others = {name: mark for name, mark in (self._job.place or {}).items() if name not in within}
        self._job.place = {**others, self._name: mark}


async def _async(items: AsyncIterable[T] | Iterable[T]) -> AsyncIterator[T]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item


def _json_value(value: Any) -> Any:
    """Return a cursor as it will be read again."""
    if type(value) is int or type(value) is str:
        return value
    try:
        kept = json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise TypeError(f"cursor: expected a value that JSON can hold, got {value!r}: {error}") from None
    if kept is None:
        raise TypeError("cursor: expected a value to go on behind, got None")
    return kept
