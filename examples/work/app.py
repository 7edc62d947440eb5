"""The app of the examples: its jobs are in the application's own database."""

from __future__ import annotations

import os

from backburner import configure

from .database import FILE, prepare

app = configure(f"sqlite:///{FILE}", mail=os.environ.get("WORK_MAIL", "console:"))
prepare()
