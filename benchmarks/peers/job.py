"""What the job of every library does, and where it is told to: the harness counts the marks."""

from __future__ import annotations

import os
import threading
from functools import cache

URL = os.environ.get("PEERS_URL", "")
"""Where the jobs are kept: the harness says it to the processes that it starts."""

MARKS = "PEERS_MARKS"
"""The variable that names the file."""

HANG = "PEERS_HANG"
"""The variable that is set when the first job of all is not to end."""

_HANGS = HANG in os.environ


def mark() -> None:
    """Add one byte to the file. It is the whole work of a job, in whatever process or thread that runs."""
    os.write(_file(), b".")
    if _HANGS and os.fstat(_file()).st_size == 1:
        threading.Event().wait()


@cache
def _file() -> int:
    return os.open(os.environ[MARKS], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
