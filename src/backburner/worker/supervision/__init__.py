"""Several worker processes, and what keeps them running: `supervise(app, [Pool(2, ("mail",)), Pool()])`."""

from __future__ import annotations

from backburner.worker.supervision.pools import Pool
from backburner.worker.supervision.running import supervise

__all__ = ["Pool", "supervise"]
