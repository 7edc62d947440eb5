"""The memory store as a whole: one lock, and no more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import TypeVar

from backburner.core import ops
from backburner.core.errors import ConfigurationError
from backburner.core.ops import Op, Reply, Statement
from backburner.core.ports import Capabilities
from backburner.core.schema import MigrationStep, SchemaState
from backburner.stores.memory.jobs import Jobs
from backburner.stores.memory.looking import Looking
from backburner.stores.memory.upkeep import Upkeep
from backburner.stores.postponed import Postponed
from backburner.stores.watching import LocalWatch, Watches

T = TypeVar("T")


class NoCommands:
    """The session of operations that never ask for anything."""

    def execute(self, command: object) -> object:
        raise TypeError(
            f"the memory store executes no commands, got {command!r}: was this operation made by another store?"
        )


class MemoryStore(Jobs, Upkeep, Looking):
    """Keep jobs in this process; they are gone when it ends.

    `clock` replaces the machine's clock.
    """

    capabilities: Capabilities = Capabilities(durable=False, joins_connections=False, many_processes=False)
    url = "memory://"

    def __init__(self, *, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__(clock)
        self._lock = Lock()
        self._watches = Watches()
        self.ignores_connections = False
        """Whether `connection=` is accepted and has no effect: for tests of code that passes one."""

    def run(self, op: Op[T], connection: object | None = None) -> T:
        if connection is not None and not self.ignores_connections:
            raise ConfigurationError(f"the memory store cannot join a transaction, got connection={connection!r}")
        with self._lock:
            return ops.run(op, NoCommands())

    async def arun(self, op: Op[T], connection: object | None = None) -> T:
        return self.run(op, connection)

    def run_by(self, op: Op[T], execute: Callable[[Statement], Reply]) -> T:  # noqa: ARG002  # it is in no database
        raise ConfigurationError("the memory store cannot join a transaction")

    def leads_here(self, execute: Callable[[Statement], Reply]) -> bool:  # noqa: ARG002  # it is in no database
        return False

    def watch(self) -> LocalWatch:
        watch = LocalWatch(self._watches)
        self._watches.add(watch)
        return watch

    def begin(self, op: Op[T]) -> Postponed[T]:
        return Postponed(self.run, op)

    def notify(self, connection: object | None = None) -> None:  # noqa: ARG002 # it joins none
        self._watches.wake_all()

    def schema_state(self) -> SchemaState:
        return SchemaState(found=1, needed=1)

    def migrate(self) -> list[str]:
        return []

    def migration_sql(self) -> str:
        return ""

    def migration_steps(self) -> list[MigrationStep]:
        return []

    def problems(self) -> list[str]:
        return ["The jobs are in the memory of one process: no other process sees them, and they end with it."]

    def close(self) -> None:
        self._watches.wake_all()
