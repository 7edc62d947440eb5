"""Ids for new jobs: UUIDs of version 7 (RFC 9562), which sort by the time they were made.

Within a process each id is greater than the one before, also when many are made in one millisecond and when the clock
is set back: the 74 bits behind the milliseconds start at a random number and grow by random steps.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from uuid import UUID, SafeUUID

START_BITS = 73
"""One bit less than there is room for, so that a millisecond never runs out of ids."""

_VERSION_AND_VARIANT = 0x7 << 76 | 0b10 << 62
_LOW_BITS = 62
_LOW_MASK = (1 << _LOW_BITS) - 1
_POOL_BYTES = 4096
_WORD_BITS = 32

_new = UUID.__new__
_set = object.__setattr__
_UNKNOWN = SafeUUID.unknown


class UuidMaker:
    """Makes ids that grow; safe to use from many threads."""

    def __init__(self, clock: Callable[[], int] = time.time_ns, random: Callable[[int], bytes] = os.urandom) -> None:
        self._clock = clock
        self._random = random
        self.forget()

    def forget(self) -> None:
        """Start anew, as a forked child must: its parent goes on from the same numbers."""
        self._lock = threading.Lock()
        self._words: Iterator[int] = iter(())
        self._millis = -1
        self._tail = 0

    def __call__(self) -> UUID:
        """Return a new id."""
        millis = self._clock() // 1_000_000
        with self._lock:
            if millis > self._millis:
                self._millis = millis
                word = self._word
                self._tail = (word() << 2 * _WORD_BITS | word() << _WORD_BITS | word()) >> 3 * _WORD_BITS - START_BITS
            else:
                self._tail += self._word() + 1
            millis, tail = self._millis, self._tail
        return _uuid(millis << 80 | _VERSION_AND_VARIANT | tail >> _LOW_BITS << 64 | tail & _LOW_MASK)

    def _word(self) -> int:
        """Return a random number of 32 bits, from a pool that spares a system call for each."""
        for word in self._words:
            return word
        self._words = iter(memoryview(self._random(_POOL_BYTES)).cast("I"))
        return next(self._words)


def _uuid(number: int) -> UUID:
    """Return `UUID(int=number)` without the checks of its constructor, which take longer than all the rest."""
    made = _new(UUID)
    _set(made, "int", number)
    _set(made, "is_safe", _UNKNOWN)
    return made


new_id: UuidMaker = UuidMaker()
"""Return a new id for a job."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=new_id.forget)
