"""A PostgreSQL store with its tables, for tests to import, and the two ways to run an operation on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from backburner.core.ops import Op
from backburner.stores.open import open_store
from backburner.stores.sql.postgres.store import PostgresStore

Run = Callable[[PostgresStore, Op[Any]], Any]

WAYS: dict[str, Run] = {
    "run": lambda store, op: store.run(op),
    "arun": lambda store, op: asyncio.run(store.arun(op)),
}


@contextmanager
def opened(url: str, **options: object) -> Iterator[PostgresStore]:
    """Open the store of an empty database, with options of its URL, and make its tables."""
    query = "&".join(f"{name}={value}" for name, value in options.items())
    store = open_store(f"{url}{'&' if '?' in url else '?'}{query}" if query else url)
    assert isinstance(store, PostgresStore)
    try:
        store.migrate()
        yield store
    finally:
        store.close()


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresStore]:
    """Give a store of this test's own."""
    with opened(postgres_url) as store:
        yield store


@pytest.fixture(params=list(WAYS))
def run(request: pytest.FixtureRequest) -> Run:
    """Give each way in turn."""
    return WAYS[request.param]
