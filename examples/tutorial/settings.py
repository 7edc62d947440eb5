"""Where things are. The environment may say otherwise; the defaults are for trying it by hand."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

HOME = Path(os.environ.get("TUTORIAL_HOME") or Path(__file__).parents[2] / "build" / "tutorial")
"""The folder of the database and of the inbox."""

PAGE_URL = os.environ.get("TUTORIAL_PAGE_URL", "http://127.0.0.1:8000")
"""Where people find the page; links in mails begin with it."""

MAIL_URL = os.environ.get("TUTORIAL_MAIL_URL", "smtp://127.0.0.1:2525")

SECRET_KEY = secrets.token_bytes(32)
"""Signs the session cookies; they end when the page is started again."""
