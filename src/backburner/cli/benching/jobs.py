"""The jobs that are enqueued and performed while something is measured."""

from __future__ import annotations

import time

from backburner.authoring.verbs import job


@job
def do_nothing(number: int) -> None:
    """Do nothing."""


@job
def tell_delay(sent: float) -> None:
    """Print how many seconds ago this was, by the clock of this machine."""
    print(time.time() - sent, flush=True)
