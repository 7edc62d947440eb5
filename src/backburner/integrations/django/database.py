"""The store in a database of Django's.

Usually that is the store that the database's URL names, with connections of its own. On Django's connection, and so in
the caller's transaction, it works inside of an atomic block, and wherever no other connection leads: in tests, whose
database ends with Django's connections to it, and for SQLite in memory.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import connections, transaction

from backburner.core.current import running_job
from backburner.core.ops import Op, Reply, Statement
from backburner.core.ports import ClaimRequest, News, Standing, Store
from backburner.core.schema import SchemaState
from backburner.integrations.django.addresses import is_in_memory, url_of
from backburner.integrations.django.executing import run_on
from backburner.integrations.django.tables import state_on
from backburner.stores.open import open_store
from backburner.stores.postponed import Postponed
from backburner.stores.watching import LocalWatch, Watches

T = TypeVar("T")


class DatabaseStore:
    """A store that is always in the database which an alias leads to at the time: a test run changes that.

    What is not here is that of the store which the database's URL names.
    """

    def __init__(self, alias: str, clock: Callable[[], datetime] | None = None) -> None:
        self.alias = alias
        self._clock = clock
        self._place: Hashable = None
        self._opened: Store | None = None
        self._watches = Watches()
        self._lock = threading.Lock()

    @property
    def named(self) -> Store:
        """The store that the URL of the database names."""
        place = connections[self.alias].settings_dict["NAME"]
        opened = self._opened
        if opened is not None and place == self._place:
            return opened
        with self._lock:
            return self._open(place)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.named, name)

    def run(self, op: Op[T], connection: object | None = None) -> T:
        """See `Store.run`."""
        if connection is None and self._is_inside():
            return self._run_inside(op)
        return self.named.run(op, connection)

    async def arun(self, op: Op[T], connection: object | None = None) -> T:
        """See `Store.arun`."""
        if connection is None and self._is_confined():
            done: T = await sync_to_async(self._run_inside, thread_sensitive=True)(op)
            return done
        return await self.named.arun(op, connection)

    def run_by(self, op: Op[T], execute: Callable[[Statement], Reply]) -> T:
        """See `Store.run_by`."""
        return self.named.run_by(op, execute)

    def begin(self, op: Op[T]) -> Any:
        """See `Store.begin`."""
        return Postponed(self.run, op) if self._is_inside() else self.named.begin(op)

    def check_in(self, silent_for: float, worker: int | None = None, wanted: ClaimRequest | None = None) -> Op[News]:
        """See `Upkeep.check_in`; on Django's connection nobody is asked, as that belongs to another thread."""
        return self._answered(News(True, False, None)) or self.named.check_in(silent_for, worker, wanted)

    def standing(self, held: Sequence[tuple[UUID, int]]) -> Op[Standing]:
        """See `JobStore.standing`, and `check_in`."""
        return self._answered(Standing([], [])) or self.named.standing(held)

    def schema_state(self) -> SchemaState:
        """See `Schema.schema_state`."""
        return state_on(connections[self.alias]) if self._is_confined() else self.named.schema_state()

    def migrate(self) -> list[str]:
        """See `Schema.migrate`; where only Django's connections lead, Django makes the tables."""
        return [] if self._is_confined() else self.named.migrate()

    def watch(self) -> Any:
        """See `Store.watch`."""
        if not self._is_confined():
            return self.named.watch()
        watch = LocalWatch(self._watches)
        self._watches.add(watch)
        return watch

    def notify(self, connection: object | None = None) -> None:
        """See `Store.notify`; inside of an atomic block, workers are told when it is committed."""
        if connection is None and self._is_inside():
            transaction.on_commit(self._tell, using=self.alias)
        else:
            self.named.notify(connection)

    def close(self) -> None:
        """See `Store.close`."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _open(self, place: Hashable) -> Store:
        if self._opened is None or place != self._place:
            self.close()
            self._place = place
            self._opened = open_store(url_of(connections[self.alias]), clock=self._clock)
        return self._opened

    def _answered(self, value: Any) -> Any:
        return Answered(value) if self._is_confined() else None

    def _tell(self) -> None:
        if self._is_confined():
            self._watches.wake_all()
        else:
            self.named.notify()

    def _is_confined(self) -> bool:
        """Say whether it works on Django's connection only."""
        return is_testing() or is_in_memory(connections[self.alias])

    def _is_inside(self) -> bool:
        """Say whether it works on Django's connection just now; what a running job reports is seen at once."""
        return self._is_confined() or (connections[self.alias].in_atomic_block and running_job() is None)

    def _run_inside(self, op: Op[T]) -> T:
        if isinstance(op, Answered):
            value: T = op.value
            return value
        return run_on(connections[self.alias], self.named, op)


class Answered(NamedTuple):
    """In the place of an operation whose value is known without asking the database."""

    value: Any


def is_testing() -> bool:
    """Say whether a test runner of Django's, or pytest-django, has set up its environment in this process."""
    utils = sys.modules.get("django.test.utils")
    return utils is not None and hasattr(utils._TestState, "saved_data")
