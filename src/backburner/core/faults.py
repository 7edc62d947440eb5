"""Fault points: moments at which a test may let a process die, stop or fail. Nothing happens there otherwise.

They are reached once for a batch of jobs, never once for a job, so that they cost nothing. What happens at them is said
by `arm`, which nothing but tests calls: no setting and no variable of the environment reaches this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

Point = Literal[
    "registering",
    "registered",
    "claiming",
    "claimed",
    "settling",
    "settled",
    "checking in",
    "checked in",
    "rescuing",
    "rescued",
    "pruning",
    "pruned",
    "retiring",
    "retired",
]
"""What is about to be asked of the store, and what the store has just done and nobody has taken in yet.

Settlements travel with a claim, so that "claiming" and "claimed" are moments of theirs too.
"""


def _pass(point: Point) -> None:
    """Do nothing."""


hit: Callable[[Point], None] = _pass
"""Reach a point. Called as `faults.hit(…)`, as what it does may be replaced."""


def arm(act: Callable[[Point], None]) -> None:
    """Let this be called at every point from now on."""
    global hit
    hit = act


def disarm() -> None:
    """Let nothing happen at any point."""
    arm(_pass)
