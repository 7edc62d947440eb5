"""Where things are. The environment may say otherwise; the defaults are for trying it by hand."""

from __future__ import annotations

import os

DATABASE_URL = os.environ.get("SIGNUP_DATABASE_URL", "sqlite+aiosqlite:///signup.db")

MAIL_URL = os.environ.get("SIGNUP_MAIL_URL", "smtp://127.0.0.1:2525")

EMBEDDED_WORKER = os.environ.get("SIGNUP_EMBEDDED_WORKER") == "1"
"""Whether a worker runs beside the server, in its process; for development."""
