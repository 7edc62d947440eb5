"""The tutorial's application: its users and its jobs are in one SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from backburner import Backburner
from backburner.testing import Harness
from tests.tutorial.records import Record


@pytest.fixture
def backburner_app(tmp_path: Path) -> Iterator[Backburner]:
    with Backburner(f"sqlite:///{tmp_path}/shop.db", allow=["tests.tutorial"]) as app:
        yield app


@pytest.fixture(autouse=True)
def _delay_jobs(backburner: Harness) -> None:
    # RSpec.configure do |config|
    #   before(:each). do
    #     Delayed::Worker.delay_jobs = true
    backburner.app.delay_jobs = True


@pytest.fixture(autouse=True)
def _users(tmp_path: Path, backburner_app: Backburner) -> Iterator[None]:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, email TEXT)")
        Record.connection = connection
        yield
        del Record.connection
