"""The app of the worker processes: the environment says what it is."""

from __future__ import annotations

import json
import os

from backburner import Backburner
from backburner.worker.supervision import liveness
from tests.worker.supervision import jobs

app = Backburner(os.environ["SHOP_URL"], allow=["tests"], **json.loads(os.environ.get("SHOP_SETTINGS", "{}")))
liveness.SLACK = float(os.environ.get("SHOP_SLACK", liveness.SLACK))

__all__ = ["app", "jobs"]
