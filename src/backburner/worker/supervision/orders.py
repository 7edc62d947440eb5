"""The pipe from a supervisor to a worker process: it carries orders, and its end says that the supervisor has died.

Not signals: who signals a whole group of processes at once, as a terminal, systemd or `timeout` does, would give each
order twice.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress

from backburner.worker.worker import Worker

STOP = 0
"""Otherwise an order is the number of the signal for which the worker is to abort."""


class Orders:
    """The supervisor's end of the pipe."""

    def __init__(self) -> None:
        for_worker, self._own = os.pipe()
        self.for_worker: int = for_worker
        """What the worker process reads."""
        os.set_blocking(self._own, False)

    def close_for_worker(self) -> None:
        """Let go of the worker's end, once the worker process has it."""
        os.close(self.for_worker)

    def close(self) -> None:
        """Let go of the own end."""
        os.close(self._own)

    def stop(self) -> None:
        """Tell the worker to stop."""
        self._send(STOP)

    def abort(self, number: int) -> None:
        """Tell the worker to interrupt its jobs, because of this signal."""
        self._send(number)

    def _send(self, order: int) -> None:
        with suppress(OSError):  # it has ended; or it reads nothing at all any more, and will be killed
            os.write(self._own, bytes([order]))


def obey(worker: Worker, pipe: int) -> None:
    """Do what the supervisor orders, from now on, in a thread of its own."""
    threading.Thread(target=_obey, args=(worker, pipe), name="backburner-orders", daemon=True).start()


def _obey(worker: Worker, pipe: int) -> None:
    while order := os.read(pipe, 1):
        if order[0] == STOP:
            worker.stop("the supervisor stops")
        else:
            worker.abort(order[0])
    worker.stop("the supervisor has died")
