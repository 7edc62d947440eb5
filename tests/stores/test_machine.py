"""Whatever is done to a store, the memory store does the same."""

from __future__ import annotations

import os

from hypothesis import settings

from backburner.core.ports import Store
from backburner.stores.sql.sqlite.store import SQLiteStore
from backburner.testing.contract import ManualClock
from backburner.testing.contract.machine import StoreMachine

EXAMPLES = int(os.environ.get("BACKBURNER_MACHINE_EXAMPLES", "60"))


class SQLiteMachine(StoreMachine):
    def make_store(self, clock: ManualClock) -> Store:
        return SQLiteStore(":memory:", clock=clock)


TestSQLite = SQLiteMachine.TestCase
TestSQLite.settings = settings(max_examples=EXAMPLES, stateful_step_count=40)
