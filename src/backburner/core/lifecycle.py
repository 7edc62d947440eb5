"""The states of a job and the one table of moves between them.

The diagram in `docs/explanation/lifecycle.md` is drawn from `MOVES`; a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    """Waits for its time and for a worker. Stays until it is claimed, cancelled or deleted."""

    RUNNING = "running"
    """A worker holds a lease on it. Stays until that worker settles it, or is not heard of for `lease`."""

    BLOCKED = "blocked"
    """Waits for other jobs. Stays until they are done."""

    SUCCEEDED = "succeeded"
    """Performed. Kept for `keep_finished`, then pruned."""

    FAILED = "failed"
    """Given up. Kept until somebody retries or deletes it, unless `keep_failed` is off."""

    CANCELLED = "cancelled"
    """Called off. Kept for `keep_finished`, then pruned."""


class Move(StrEnum):
    """A verb that takes a job from one state to the next."""

    CLAIM = "claim"
    FINISH = "finish"
    RETRY = "retry"
    SNOOZE = "snooze"
    RELEASE = "release"
    FAIL = "fail"
    CANCEL = "cancel"
    RESCUE = "rescue"
    REQUEUE = "requeue"
    UNBLOCK = "unblock"


LIVE_STATES = frozenset({State.QUEUED, State.RUNNING, State.BLOCKED, State.FAILED})
"""States that `count()` counts when none is named; the rest is history."""

FINISHED_STATES = frozenset({State.SUCCEEDED, State.CANCELLED})
"""States that are kept for `keep_finished` and then pruned."""

MOVES: Mapping[Move, tuple[frozenset[State], State]] = MappingProxyType(
    {
        Move.CLAIM: (frozenset({State.QUEUED}), State.RUNNING),
        Move.FINISH: (frozenset({State.RUNNING}), State.SUCCEEDED),
        Move.RETRY: (frozenset({State.RUNNING}), State.QUEUED),
        Move.SNOOZE: (frozenset({State.RUNNING}), State.QUEUED),
        Move.RELEASE: (frozenset({State.RUNNING}), State.QUEUED),
        Move.RESCUE: (frozenset({State.RUNNING}), State.QUEUED),
        Move.FAIL: (frozenset({State.RUNNING}), State.FAILED),
        Move.CANCEL: (frozenset({State.QUEUED, State.BLOCKED, State.RUNNING}), State.CANCELLED),
        Move.REQUEUE: (frozenset({State.QUEUED, State.BLOCKED, State.FAILED, State.CANCELLED}), State.QUEUED),
        Move.UNBLOCK: (frozenset({State.BLOCKED}), State.QUEUED),
    }
)
"""For each move: the states it may start from, and the state it ends in."""


def may(move: Move, state: State) -> bool:
    """Say whether a job in this state may make this move."""
    return state in MOVES[move][0]
