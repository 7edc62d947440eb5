"""Databases, jobs and supervisors, as processes of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from backburner import Backburner
from backburner.app import use
from tests.cli.support import Running
from tests.worker.supervision.support import APP, ROOT, Hold

Supervise = Callable[..., Running]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database for several processes; a test may want others as well."""
    return f"sqlite:///{tmp_path}/jobs.db"


@pytest.fixture
def app(url: str) -> Iterator[Backburner]:
    with Backburner(url, allow=["tests"]) as app, use(app):
        app.migrate()
        yield app


@pytest.fixture(params=["fork", "spawn"])
def start_method(request: pytest.FixtureRequest) -> str:
    """How worker processes are started."""
    return str(request.param)


@pytest.fixture
def run(app: Backburner, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervise]:
    """Run `backburner work` with these options, and the app with these settings, until the test ends."""
    with ExitStack() as stack:

        def run(*options: str, slack: float | None = None, **settings: Any) -> Running:
            monkeypatch.setenv("SHOP_URL", url)
            monkeypatch.setenv("SHOP_SETTINGS", json.dumps(settings))
            if slack is not None:
                monkeypatch.setenv("SHOP_SLACK", str(slack))
            return stack.enter_context(Running("work", *APP, *options, cwd=ROOT))

        yield run


@pytest.fixture
def supervise(run: Supervise, start_method: str) -> Supervise:
    """Run a supervisor, which starts its processes in both ways."""
    return lambda *options, **more: run(*options, *(["--spawn"] if start_method == "spawn" else []), **more)


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Hold]:
    hold = Hold(tmp_path)
    yield hold
    hold.close()
