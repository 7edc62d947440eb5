"""An operation that another store made, and whose commands this one does not know, is refused, and told why."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from backburner.core.ops import BEGIN, Op, Reply
from backburner.core.ports import Store
from backburner.stores.open import open_store
from tests.stores.mysql import connect

MADE_BY_ANOTHER = "expected a command .*, got a strange one: was (it|this operation) made by another store?"


class Strange:
    """What no store executes."""

    def __repr__(self) -> str:
        return "a strange one"


def foreign() -> Op[None]:
    yield BEGIN
    yield Strange()


class Place(NamedTuple):
    """A store, and a connection of the caller's to its database."""

    store: Store
    connection: Any


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Place]:
    with (
        closing(open_store(f"sqlite:///{tmp_path}/shop.db")) as store,
        closing(sqlite3.connect(tmp_path / "shop.db")) as connection,
    ):
        store.migrate()
        yield Place(store, connection)


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Place]:
    with closing(open_store(postgres_url)) as store, psycopg.connect(postgres_url) as connection:
        store.migrate()
        yield Place(store, connection)


@pytest.fixture
def mysql(mysql_url: str) -> Iterator[Place]:
    with closing(open_store(mysql_url)) as store, closing(connect(mysql_url)) as connection:
        store.migrate()
        yield Place(store, connection)


@pytest.fixture(params=["sqlite", "postgres", "mysql"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(request.param)
    return found


def test_it_is_refused(place: Place) -> None:
    with pytest.raises(TypeError, match=MADE_BY_ANOTHER):
        place.store.run(foreign())
    with pytest.raises(TypeError, match=MADE_BY_ANOTHER):
        asyncio.run(place.store.arun(foreign()))
    assert place.store.run(place.store.workers()) == []  # the store goes on


def test_it_is_refused_on_the_callers_connection(place: Place) -> None:
    with pytest.raises(TypeError, match=MADE_BY_ANOTHER):
        place.store.run(foreign(), place.connection)


def test_it_is_refused_in_a_librarys_transaction(place: Place) -> None:
    with pytest.raises(TypeError, match=MADE_BY_ANOTHER):
        place.store.run_by(foreign(), lambda statement: Reply([(1, 1)], 1))


def test_an_operation_without_commands_is_run_anywhere(place: Place) -> None:
    nothing = lambda: place.store.enqueue([])  # noqa: E731 # it is made anew each time
    place.store.run(nothing())
    asyncio.run(place.store.arun(nothing()))
    place.store.run(nothing(), place.connection)
    place.store.begin(nothing()).result()


def test_the_memory_store_knows_no_commands() -> None:
    with closing(open_store("memory://")) as store, pytest.raises(TypeError, match="the memory store executes no"):
        store.run(foreign())
