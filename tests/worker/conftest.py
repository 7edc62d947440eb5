"""Apps for the tests of the worker: on the memory store and on a SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backburner import Backburner
from tests.worker import jobs


@pytest.fixture(params=["memory", "sqlite"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backburner]:
    """An app whose queue is empty."""
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/jobs.db"
    jobs.trace.clear()
    with Backburner(url, allow=["tests"]) as app:
        yield app


@pytest.fixture
def file_app(tmp_path: Path) -> Iterator[Backburner]:
    """An app on a SQLite file, for tests with more than one process."""
    jobs.trace.clear()
    with Backburner(f"sqlite:///{tmp_path}/jobs.db", allow=["tests"], lease=1.5, heartbeat=0.3) as app:
        yield app
