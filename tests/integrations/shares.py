"""How many random programs a property test tries."""

from __future__ import annotations

import os

DIVISOR = int(os.environ.get("BACKBURNER_TEST_DIVISOR", "1"))
"""`make newer` divides by more: it is there to find what another version of a library does differently everywhere."""


def share_of(programs: int) -> int:
    """Return how many of so many programs are tried in this run."""
    return max(programs // DIVISOR, 4)
