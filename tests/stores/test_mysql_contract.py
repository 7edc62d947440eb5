"""The MySQL store keeps the contract, and does what the memory store does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import settings
from pymysql.connections import Connection

from backburner.core.ports import Store
from backburner.stores.sql.mysql.store import MySQLStore, open_mysql
from backburner.testing.contract import ManualClock, StoreContract
from backburner.testing.contract.machine import StoreMachine
from tests.servers.mysql import MySQL
from tests.stores.mysql import connect

EXAMPLES = int(os.environ.get("BACKBURNER_MACHINE_EXAMPLES", "60"))

TABLES = ("jobs", "ready", "running", "finished", "workers", "queues")


@pytest.fixture(scope="module")
def database(mysql_server: MySQL) -> Iterator[str]:
    """The URL of one database for all tests here, with the tables in it: each test empties them first."""
    with mysql_server.fresh_database() as url:
        store = open_mysql(url, url, None)
        store.migrate()
        store.close()
        with closing(connect(url)) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE things (name text)")
        yield url


def emptied(url: str) -> str:
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DELETE FROM backburner_{table}")  # noqa: S608 # one of ours
        cursor.execute("DELETE FROM things")
        cursor.execute("ALTER TABLE backburner_workers AUTO_INCREMENT = 1")
        connection.commit()
    return url


class TestMySQL(StoreContract):
    @pytest.fixture(autouse=True)
    def _url(self, database: str) -> None:
        self.url = database

    def make_store(self, clock: ManualClock) -> Store:
        return open_mysql(emptied(self.url), self.url, clock)

    def connect(self, store: Store) -> Connection[Any]:
        return connect(self.url)


class MySQLMachine(StoreMachine):
    url: str

    def make_store(self, clock: ManualClock) -> Store:
        return open_mysql(emptied(self.url), self.url, clock)

    def teardown(self) -> None:
        super().teardown()
        assert isinstance(self.store, MySQLStore)
        self.store.close()


@pytest.mark.usefixtures("database")
class TestMachine(MySQLMachine.TestCase):
    settings = settings(max_examples=EXAMPLES, stateful_step_count=40)

    @pytest.fixture(autouse=True)
    def _url(self, database: str) -> None:
        MySQLMachine.url = database
