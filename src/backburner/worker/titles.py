"""What lists of processes show: `backburner: worker mail: performing send_welcome`.

Only where the package setproctitle is installed, `pip install "backburner[titles]"`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec

from backburner.core.text import printable
from backburner.worker.roster import Running

SetTitle = Callable[[str], None]


def title_setter() -> SetTitle | None:
    """Return what sets the title of this process; None where that is not possible."""
    if find_spec("setproctitle") is None:
        return None
    setter: SetTitle = import_module("setproctitle").setproctitle
    return setter


def worker_title(queues: Sequence[str] | None, running: Sequence[Running], *, is_stopping: bool) -> str:
    """Say what a worker does."""
    served = "all queues" if queues is None else ",".join(queues)
    return f"backburner: worker {printable(served)}: {_doing(running, is_stopping)}"


def _doing(running: Sequence[Running], is_stopping: bool) -> str:
    ending = ", then it ends" if is_stopping else ""
    match len(running):
        case 0:
            return "ending" if is_stopping else "waiting"
        case 1:
            return f"performing {printable(running[0].job.name)}{ending}"
        case number:
            return f"performing {number} jobs{ending}"
