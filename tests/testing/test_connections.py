"""Code under test that enqueues in its own transaction, with the in-memory app of the fixture."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from backburner import Backburner, ConfigurationError, job
from backburner.testing import Harness


@job
def greet(name: str) -> None:
    """Greet somebody."""


def test_the_fixture_takes_code_that_passes_its_connection(backburner: Harness) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        greet.options(connection=connection).delay("Ann")
    backburner.assert_enqueued(greet, "Ann")
    assert backburner.drain() == (1, 0)


def test_a_memory_store_of_an_application_refuses_it() -> None:
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        Backburner("memory://") as app,
        pytest.raises(ConfigurationError, match="the memory store cannot join a transaction"),
    ):
        app.delay(greet, connection=connection)("Ann")
