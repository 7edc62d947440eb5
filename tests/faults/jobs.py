"""Jobs that write down when they begin and how they end."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from backburner import Cancel, Fail, Retry, Snooze, current_job, job
from tests.faults.history import history

SOON = 0.02
"""Seconds after which a job that failed is tried again."""


class Boom(Exception):
    """What a job raises that fails."""


ENDINGS: tuple[tuple[type[BaseException], str], ...] = (
    (Snooze, "snoozed"),
    (Cancel, "cancelled"),
    (Fail, "gave up"),
    (Exception, "failed"),
    (BaseException, "interrupted"),
)


@contextmanager
def performing() -> Iterator[None]:
    """Write down that the running job begins, and at the end of the block how it ended."""
    running = current_job()
    lease = running.lease or 0
    history().note("started", running.id, lease)
    try:
        yield
    except BaseException as error:
        how = next(how for kind, how in ENDINGS if isinstance(error, kind))
        history().note("ended", running.id, lease, how)
        raise
    history().note("ended", running.id, lease, "ok")


@job
def work() -> None:
    """Do nothing but say so."""
    with performing():
        pass


@job
def work_for(seconds: float) -> None:
    """Take so long."""
    with performing():
        time.sleep(seconds)


@job
async def await_for(seconds: float) -> None:
    """Take so long without keeping a thread."""
    with performing():
        await asyncio.sleep(seconds)


@job
def fail_at_first(times: int) -> None:
    """Fail so many times, then succeed."""
    with performing():
        if current_job().attempts < times:
            raise Retry(SOON) from Boom("not yet")


@job
def give_up() -> None:
    """Fail for good."""
    with performing():
        raise Fail("cannot be done")


@job
def call_off() -> None:
    """End as cancelled."""
    with performing():
        raise Cancel("not needed any more")


@job
def snooze_now_and_then() -> None:
    """Put itself off, more or less often."""
    with performing():
        if random.random() < 0.5:  # noqa: S311  # hides nothing
            raise Snooze(SOON)


@job
def kill_worker() -> None:
    """Kill the process that performs it."""
    running = current_job()
    history().note("started", running.id, running.lease or 0)
    history().note("fault", running.id, os.getpid(), "kill")
    os.kill(os.getpid(), signal.SIGKILL)


@job
def carry(text: str) -> None:  # it is there to take up room
    """Be as long as a text."""
    with performing():
        pass
