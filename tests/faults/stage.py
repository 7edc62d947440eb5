"""A database in which the same scene is set again and again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import psycopg

from backburner.core.ports import Store
from backburner.stores.open import open_store
from backburner.stores.sql.sqlite.store import SQLiteStore
from tests.faults.scenes import Scene, clock_of_scenes, set_scene
from tests.stores.mysql import connect

TABLES = {
    "sqlite": ("jobs", "finished", "workers", "queues"),
    "postgres": ("jobs", "finished", "workers", "queues"),
    "mariadb": ("jobs", "ready", "running", "finished", "workers", "queues"),
}


class Stage:
    """Sets the scene once, keeps a copy of each table, and brings the tables back to that."""

    def __init__(self, kind: str, url: str) -> None:
        self.kind = kind
        self.url = url
        self.clock = clock_of_scenes()
        self._store = self.open_store()
        self._store.migrate()
        self._scene = set_scene(self._store, self.clock)
        self._connection: Any = _connected(kind, url)
        self._for_each_table("CREATE TABLE kept_{name} AS SELECT * FROM backburner_{name}")

    def close(self) -> None:
        self._store.close()
        self._connection.close()

    def open_store(self) -> Store:
        """Return a store with a connection of its own, which is refused at once when a file is locked."""
        if self.kind == "sqlite":
            return SQLiteStore(self.url.removeprefix("sqlite:///"), clock=self.clock, patience=0)
        return open_store(f"{self.url}?pool_size=1", clock=self.clock)

    def scene(self, store: Store) -> Scene:
        """Return the scene as somebody sees it who uses this store."""
        return Scene(store, self._scene.numbers, self.clock)

    @property
    def numbers(self) -> dict[str, int]:
        """The numbers of the workers in the scene."""
        return self._scene.numbers

    def set_again(self, stores: Sequence[Store]) -> None:
        """Set the scene as it was at first; let these stores forget what they may remember."""
        overriding = "OVERRIDING SYSTEM VALUE" if self.kind == "postgres" else ""
        self._for_each_table("DELETE FROM backburner_{name}")
        self._for_each_table(f"INSERT INTO backburner_{{name}} {overriding} SELECT * FROM kept_{{name}}")  # noqa: S608  # a text of ours
        for store in stores:
            store.run(store.resume("default"))

    def _for_each_table(self, statement: str) -> None:
        with closing(self._connection.cursor()) as cursor:
            for name in TABLES[self.kind]:
                cursor.execute(statement.replace("{name}", name))
        self._connection.commit()


def _connected(kind: str, url: str) -> Any:
    connecting: dict[str, Callable[[], object]] = {
        "sqlite": lambda: sqlite3.connect(url.removeprefix("sqlite:///")),
        "postgres": lambda: psycopg.connect(url),
        "mariadb": lambda: connect(url),
    }
    return connecting[kind]()
