"""The tutorial's application, and the kinds of work, each on a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from backburner import Backburner
from backburner.app import use
from backburner.testing import Clock, Harness
from examples.tutorial import database, settings
from examples.tutorial.app import app as pages
from examples.work import database as work_database
from tests.examples.work import Work


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the tutorial's database, with an empty table of users."""
    monkeypatch.setattr(settings, "HOME", tmp_path)
    monkeypatch.setattr(settings, "PAGE_URL", "http://page.example")
    database.prepare()
    return tmp_path


@pytest.fixture
def backburner_app(home: Path, backburner_clock: Clock) -> Iterator[Backburner]:
    """An app that keeps its jobs beside the users, as the tutorial's own does."""
    with Backburner(f"sqlite:///{database.path()}", clock=backburner_clock) as app:
        yield app


@pytest.fixture
def browser(backburner: Harness) -> FlaskClient:
    return pages.test_client()


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    """The database of the kinds of work, with empty tables; workers that are started find it too."""
    monkeypatch.setenv("WORK_HOME", str(tmp_path))
    monkeypatch.setattr(work_database, "FILE", tmp_path / "work.db")
    work_database.prepare()
    with Backburner(f"sqlite:///{work_database.FILE}", allow=["examples.work"]) as app, use(app):
        yield Work(app, tmp_path)
