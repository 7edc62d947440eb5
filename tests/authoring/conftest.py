"""An app for each store, current while the test runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backburner import Backburner
from backburner.app import use
from tests.authoring import shop


@pytest.fixture(autouse=True)
def done() -> Iterator[list[object]]:
    """What the application of these tests did."""
    shop.DONE.clear()
    shop.Changing.seen.clear()
    yield shop.DONE
    shop.TABLE.clear()


@pytest.fixture(params=["memory", "sqlite"])
def url(request, tmp_path) -> str:
    return "memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'jobs.db'}"


@pytest.fixture
def app(url) -> Iterator[Backburner]:
    with Backburner(url, allow=["tests.authoring.shop"]) as app, use(app):
        yield app


@pytest.fixture
def user() -> shop.User:
    return shop.User(7, "Ann", "ann@example.com", password="s3cret")
