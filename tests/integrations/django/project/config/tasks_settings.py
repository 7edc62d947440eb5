"""The project with a backend for tasks."""

from __future__ import annotations

import json
import os

from config.settings import *  # noqa: F403  # Django reads the names of this module

BACKEND = "backburner.integrations.django.TaskBackend"
TASKS = {
    "default": {"BACKEND": BACKEND, "QUEUES": [], "OPTIONS": json.loads(os.environ.get("SHOP_TASK_OPTIONS", "{}"))},
    "stubborn": {
        "BACKEND": BACKEND,
        "QUEUES": ["default", "mail"],
        "OPTIONS": {"MAX_ATTEMPTS": 3, "TAGS": ["stubborn"]},
    },
}
USE_TZ = os.environ.get("SHOP_USE_TZ") != "no"
