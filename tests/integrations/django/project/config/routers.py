from __future__ import annotations

from typing import Any


class NoJobs:
    """Lets the tables of jobs be nowhere."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if app_label == "backburner" else None
