"""A pytest plugin: shows at the end of a run what tests have noted with `record_property`."""

from __future__ import annotations

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.line(f"{report.nodeid.rpartition('::')[2]}: {name} {value}")
