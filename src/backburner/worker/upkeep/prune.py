"""Removing history that is older than it is to be kept."""

from __future__ import annotations

from datetime import timedelta

from backburner.core import faults
from backburner.core.ports import Store

EVERY = 60.0
"""Seconds between two rounds, while there is something to remove."""

LONGEST_PAUSE = 600.0
"""Seconds from a round that found nothing to the next, at the most: an idle worker should ask little."""

CHUNK = 500
"""Rows in one transaction, so that nobody waits long for it."""

CHUNKS = 200
"""Transactions in one round at the most."""


def prune(store: Store, keep: timedelta) -> int:
    """Remove history that ended longer than `keep` ago; return how many rows."""
    before = store.now() - keep
    total = 0
    for _ in range(CHUNKS):
        faults.hit("pruning")
        removed = store.run(store.prune(before, CHUNK))
        faults.hit("pruned")
        total += removed
        if removed < CHUNK:
            break
    return total


def pause_after(removed: int, keep: timedelta) -> float:
    """Return how many seconds after a round the next one comes; what is kept for long may wait a little longer."""
    return EVERY if removed else min(max(EVERY, keep.total_seconds() / 10), LONGEST_PAUSE)
