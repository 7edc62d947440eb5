"""How much memory this process takes."""

from __future__ import annotations

import os
import sys


def resident_bytes() -> int:
    """Return how much of this process is in memory; where the system does not say, how much it has ever been."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return _highest()


def _highest() -> int:
    from resource import RUSAGE_SELF, getrusage

    highest = getrusage(RUSAGE_SELF).ru_maxrss
    return highest if sys.platform == "darwin" else highest * 1024
