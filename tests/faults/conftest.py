"""The fixtures of the tests of faults: a place where processes share a store and a history, for each kind of store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.history import VARIABLE as HISTORY
from tests.faults.nursery import Nursery
from tests.faults.place import Place
from tests.faults.stage import Stage

FIXTURES = {"postgres": "postgres_url", "mariadb": "mysql_url"}
STORES = ("sqlite", *FIXTURES)


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where the processes of all tests are started."""
    with Nursery() as nursery:
        yield nursery


@pytest.fixture(params=STORES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of this test's own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.db"
    return str(request.getfixturevalue(FIXTURES[request.param]))


@pytest.fixture
def place(url: str, nursery: Nursery, folder: Path) -> Iterator[Place]:
    """A store in this database, in which nothing has happened yet."""
    with Place(url, nursery, folder) as place:
        yield place


@pytest.fixture(scope="module", params=STORES)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A scene in a database of this module's own."""
    kind = request.param
    with ExitStack() as held:
        if kind == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('stage')}/jobs.db"
        else:
            server = request.getfixturevalue({"postgres": "postgres_server", "mariadb": "mysql_server"}[kind])
            url = held.enter_context(server.fresh_database())
        stage = Stage(kind, url)
        held.callback(stage.close)
        yield stage


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the history of this test."""
    folder = tmp_path / "history"
    folder.mkdir()
    monkeypatch.setenv(HISTORY, str(folder))
    return folder
