"""An app whose killed workers are missed soon."""

from __future__ import annotations

from datetime import timedelta

from backburner import configure
from benchmarks.peers import with_backburner
from benchmarks.peers.job import URL

jobs = with_backburner  # the module has made an app of its own when it was imported; this one takes its place
app = configure(URL, lease=timedelta(seconds=1), heartbeat=timedelta(seconds=0.2))
