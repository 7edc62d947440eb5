"""Grounds, by driver."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integrations.sqlalchemy import grounds, models
from tests.integrations.sqlalchemy.grounds import ASYNC, SYNC, AsyncGround, Ground, Places


@pytest.fixture(scope="session")
def places() -> Iterator[Places]:
    """The databases of servers."""
    places = Places()
    yield places
    places.close()


@pytest.fixture(params=SYNC)
def ground(request, places: Places, tmp_path) -> Iterator[Ground]:
    """An application, on each database and driver."""
    url = places.url(request.param, request, tmp_path)
    with grounds.ground(url, request.param) as made:
        yield made


@pytest.fixture(params=ASYNC)
def async_ground(request, places: Places, tmp_path) -> Iterator[AsyncGround]:
    """An application with asyncio, on each database and driver."""
    url = places.url(request.param, request, tmp_path)
    with grounds.async_ground(url, request.param) as made:
        yield made


@pytest.fixture
def shop(tmp_path) -> Iterator[Ground]:
    """An application on SQLite, for what does not depend on the database."""
    with grounds.ground(f"sqlite:///{tmp_path}/shop.db", "sqlite") as made:
        yield made


@pytest.fixture(autouse=True)
def seen() -> Iterator[list]:
    """What jobs have seen in this test."""
    models.SEEN.clear()
    yield models.SEEN
    models.SEEN.clear()
