"""Lets a process die, stop or fail at the points that `BACKBURNER_FAULTS` names: `claimed:3:kill,settling:1:raise`.

A process of a test calls `arm_from_environment`; backburner itself never looks at the variable. `claimed:3:kill` is: at
the third time that this process reaches the point `claimed`, kill it. `claimed:2+:raise` is: the second time and always
from then on. What can happen:

| `kill`  | SIGKILL, so that nothing is cleaned up                          |
| `stop`  | SIGSTOP; the process goes on where it was at SIGCONT            |
| `raise` | the store raises StoreUnavailable, as if the connection was lost |

What happens is written into the history, if there is one, before it does.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from typing import NamedTuple, get_args

from backburner.core import faults
from backburner.core.errors import StoreUnavailable
from backburner.core.faults import Point
from tests.faults.history import VARIABLE as HISTORY
from tests.faults.history import history

VARIABLE = "BACKBURNER_FAULTS"

SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
ACTS = (*SIGNALS, "raise")


class Fault(NamedTuple):
    """What is to happen, where, and at which time that it is reached."""

    point: str
    time: int
    goes_on: bool
    """Whether it happens at every time after that as well."""
    act: str

    def is_due(self, time: int) -> bool:
        """Say whether it happens at this time."""
        return time == self.time or (self.goes_on and time > self.time)


class Plan:
    """Counts how often each point is reached, and lets happen what is planned. May be reached by any thread."""

    def __init__(self, text: str) -> None:
        self._faults = [parse(each) for each in text.split(",")]
        self._reached: Counter[str] = Counter()
        self._lock = threading.Lock()

    def reach(self, point: str) -> None:
        """Note that a point is reached."""
        with self._lock:
            self._reached[point] += 1
            due = [fault for fault in self._faults if fault.point == point and fault.is_due(self._reached[point])]
        for fault in due:
            happen(fault.act, f"at {point!r}")


def arm_from_environment() -> None:
    """Let happen in this process what the environment says, if it says anything."""
    text = os.environ.get(VARIABLE)
    if text:
        faults.arm(Plan(text).reach)


def parse(text: str) -> Fault:
    """Read one fault. Raises ValueError."""
    point, time, act = text.split(":")
    if point not in get_args(Point):
        raise ValueError(f"expected a fault point, one of {', '.join(get_args(Point))}, got {point!r}")
    if act not in ACTS:
        raise ValueError(f"expected one of {', '.join(ACTS)}, got {act!r}")
    return Fault(point, int(time.removesuffix("+")), time.endswith("+"), act)


def happen(act: str, where: str) -> None:
    """Kill or stop this process, or raise StoreUnavailable."""
    if act == "raise":
        raise StoreUnavailable(f"the connection was lost {where}")
    if HISTORY in os.environ:
        history().note("fault", lease=os.getpid(), detail=act)
    os.kill(os.getpid(), SIGNALS[act])
