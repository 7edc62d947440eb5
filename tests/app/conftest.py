"""An app for each store, current while the test runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backburner import Backburner
from backburner.app import use


@pytest.fixture(params=["memory", "sqlite"])
def url(request, tmp_path) -> str:
    return "memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'jobs.db'}"


@pytest.fixture
def app(url) -> Iterator[Backburner]:
    with Backburner(url) as app, use(app):
        yield app
