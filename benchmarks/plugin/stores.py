"""The stores whose jobs live no longer than a test, and how long jobs may take there."""

from __future__ import annotations

from benchmarks.targets import Goal

STORES = {"memory": "memory://", "SQLite in memory": "sqlite:///:memory:"}

MOST = Goal(1, "≤ 1 s", is_upper=True)
