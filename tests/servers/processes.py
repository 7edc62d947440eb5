"""Processes and their descendants: who they are, signals to all of them, waiting until they are gone."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import threading
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PROC = Path("/proc")
LOOK_AGAIN = 0.005
"""Seconds between two looks at a process that is not our child: no system tells of its end in the same way."""


def server_user(*preferred: str) -> str | None:
    """Return the user to run a server as: ourselves (None), or somebody else if we are root, which servers refuse."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in (*preferred, "nobody") if name in known)


def identity(user: str | None) -> dict[str, Any]:
    """Return the arguments of subprocess that run a program as a user."""
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}


def freeze(pid: int) -> list[int]:
    """Stop a process and all its descendants where they are; return them, the process first."""
    send([pid], signal.SIGSTOP)  # first, so that it has no more children while we look
    tree = [pid, *descendants(pid)]
    send(tree, signal.SIGSTOP)
    return tree


def thaw(pid: int) -> None:
    """Let a process and all its descendants go on."""
    send([pid, *descendants(pid)], signal.SIGCONT)


def kill(pid: int) -> None:
    """Kill a process and all its descendants, and wait until they hold nothing any more."""
    tree = freeze(pid)
    send(tree, signal.SIGKILL)
    wait_until_gone(tree)


def send(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def descendants(pid: int) -> list[int]:
    children = children_by_parent()
    found: list[int] = []
    look_at = [pid]
    while look_at:
        below = children[look_at.pop()]
        found += below
        look_at += below
    return found


def children_by_parent() -> dict[int, list[int]]:
    children: dict[int, list[int]] = defaultdict(list)
    for pid, (parent, _) in table().items():
        children[parent].append(pid)
    return children


def wait_until_gone(pids: Iterable[int], timeout: float = 20.0) -> None:
    """Wait until processes have ended; one that only waits for its parent to look has."""
    pause = threading.Event()
    for _ in range(int(timeout / LOOK_AGAIN)):
        if not alive(pids):
            return
        pause.wait(LOOK_AGAIN)
    raise TimeoutError(f"processes {sorted(alive(pids))} were killed and are still there after {timeout} s")


def alive(pids: Iterable[int]) -> set[int]:
    return {pid for pid, (_, state) in table().items() if state not in "ZX"}.intersection(pids)


def table() -> dict[int, tuple[int, str]]:
    """Return the parent and the state of every process of this machine."""
    return table_of_proc() if (PROC / "self" / "stat").exists() else table_of_ps()


def table_of_proc() -> dict[int, tuple[int, str]]:
    found = {}
    for entry in os.listdir(PROC):
        if entry.isdigit():
            with contextlib.suppress(OSError):  # it ended while we looked
                state, parent = (PROC / entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
                found[int(entry)] = (int(parent), state)
    return found


def table_of_ps() -> dict[int, tuple[int, str]]:
    listed = subprocess.run(["ps", "-axo", "pid=,ppid=,state="], check=True, capture_output=True, text=True).stdout
    rows = (line.split() for line in listed.splitlines())
    return {int(pid): (int(parent), state[0]) for pid, parent, state in rows}
