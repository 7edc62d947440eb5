"""Every store keeps the contract."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from backburner.core.ports import Store
from backburner.stores.memory.store import MemoryStore
from backburner.stores.sql.sqlite.store import SQLiteStore
from backburner.testing.contract import ManualClock, StoreContract


class TestMemory(StoreContract):
    def make_store(self, clock: ManualClock) -> Store:
        return MemoryStore(clock=clock)


class TestSQLiteInMemory(StoreContract):
    def make_store(self, clock: ManualClock) -> Store:
        return SQLiteStore(":memory:", clock=clock)


class TestSQLiteFile(StoreContract):
    @pytest.fixture(autouse=True)
    def _directory(self, tmp_path: Path) -> None:
        self.path = tmp_path / "shop.db"

    def make_store(self, clock: ManualClock) -> Store:
        return SQLiteStore(str(self.path), clock=clock)

    def connect(self, store: Store) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path)
        connection.execute("CREATE TABLE things (name TEXT)")
        return connection
