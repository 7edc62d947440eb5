"""The PostgreSQL store keeps the contract, and does what the memory store does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import settings

from backburner.core.ports import Store
from backburner.stores.sql.postgres.store import PostgresStore, open_postgres
from backburner.testing.contract import ManualClock, StoreContract
from backburner.testing.contract.machine import StoreMachine
from tests.servers.postgres import Postgres

EXAMPLES = int(os.environ.get("BACKBURNER_MACHINE_EXAMPLES", "60"))

EMPTY = """
TRUNCATE backburner_jobs, backburner_finished, backburner_workers, backburner_queues RESTART IDENTITY;
DROP TABLE IF EXISTS things;
CREATE TABLE things (name text)
"""


@pytest.fixture(scope="module")
def database(postgres_server: Postgres) -> Iterator[str]:
    """The URL of one database for all tests here, with the tables in it: each test empties them first."""
    with postgres_server.fresh_database() as url:
        store = open_postgres(url, url, None)
        store.migrate()
        store.close()
        yield url


def emptied(url: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(EMPTY.encode())
    return url


class TestPostgres(StoreContract):
    @pytest.fixture(autouse=True)
    def _url(self, database: str) -> None:
        self.url = database

    def make_store(self, clock: ManualClock) -> Store:
        return open_postgres(emptied(self.url), self.url, clock)

    def connect(self, store: Store) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url)


class PostgresMachine(StoreMachine):
    url: str

    def make_store(self, clock: ManualClock) -> Store:
        return open_postgres(emptied(self.url), self.url, clock)

    def teardown(self) -> None:
        super().teardown()
        assert isinstance(self.store, PostgresStore)
        self.store.close()


@pytest.mark.usefixtures("database")
class TestMachine(PostgresMachine.TestCase):
    settings = settings(max_examples=EXAMPLES, stateful_step_count=40)

    @pytest.fixture(autouse=True)
    def _url(self, database: str) -> None:
        PostgresMachine.url = database
