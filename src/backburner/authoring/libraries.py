"""The libraries that applications keep their data with, as far as jobs know their records and join their transactions.

Each has an integration, a module with a function `library(app)`. It is imported when the application has imported the
library itself, and the app has to do with a record or a connection that may be of it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol

from backburner.authoring.bulk import Stands
from backburner.core.caller import callers_record
from backburner.core.errors import ConfigurationError
from backburner.core.job import Job
from backburner.core.records import RecordKind, kind_of

INTEGRATIONS: Mapping[str, str] = {
    "sqlalchemy.orm": "backburner.integrations.sqlalchemy",
    "django.db": "backburner.integrations.django",
}
"""The module that shows that the library is in use, and our module for it."""


class Joint(Protocol):
    """A transaction of the application's, as far as jobs can be made part of it."""

    def put(self, jobs: Sequence[Job[Any]]) -> None:
        """Make jobs part of the transaction, all or none; workers see them once it is committed."""

    async def aput(self, jobs: Sequence[Job[Any]]) -> None:
        """Take jobs as `put` does, without blocking the event loop."""

    def witness(self) -> Stands | None:
        """Return what says later whether what is done now still stands; None where the transaction does not tell."""


class Library(RecordKind, Protocol):
    """What an integration knows of a library: its records, and how to join its transactions."""

    def joint(self, connection: object) -> Joint | None:
        """Return the transaction of a connection, or whatever else of this library stands for one; None: not of it."""

    def default(self) -> object | None:
        """Return the connection for jobs about no record, where the call names none; None: they go by themselves."""

    def bind(self, source: object) -> bool:
        """Take the application's source of connections; False when it is none of this library."""


class Libraries:
    """The libraries that one app knows. To the codec, it is a kind of records: that of whichever library."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._waiting = dict(INTEGRATIONS)
        self._known: list[Library] = []

    def in_use(self) -> Sequence[Library]:
        """Return those that the application uses by now; each is told of the app when it is found."""
        if not self._waiting.keys().isdisjoint(sys.modules.keys()):
            for sign in [sign for sign in self._waiting if sign in sys.modules]:
                self._know(self._waiting.pop(sign))
        return self._known

    def joint(self, connection: object) -> Joint | None:
        """Return the transaction that is meant by a connection; None when it is of no library."""
        for library in self.in_use():
            if (joint := library.joint(connection)) is not None:
                return joint
        return None

    def witness(self, connection: object | None) -> Stands | None:
        """Return what says later whether what is done now on a connection still stands; see `Joint.witness`."""
        joint = None if connection is None else self.joint(connection)
        return None if joint is None else joint.witness()

    def default(self) -> object | None:
        """Return the connection for jobs about no record."""
        for library in self.in_use():
            if (default := library.default()) is not None:
                return default
        return None

    def bind(self, source: object) -> None:
        """Give the application's source of connections to the library that it is of. Raises ConfigurationError."""
        if not any(library.bind(source) for library in self.in_use()):
            kind = type(source)
            raise ConfigurationError(
                "expected a sessionmaker, async_sessionmaker, scoped_session or async_scoped_session of SQLAlchemy, "
                f"got {kind.__module__}.{kind.__qualname__}"
            )

    def recognises(self, cls: type) -> bool:
        """See `RecordKind.recognises`."""
        return kind_of(cls, self.in_use()) is not None

    def key(self, record: Any) -> Any:
        """See `RecordKind.key`."""
        return self._kind(type(record)).key(record)

    def connection(self, record: Any) -> object | None:
        """See `RecordKind.connection`."""
        return self._kind(type(record)).connection(record)

    def attributes(self, record: Any) -> Mapping[str, Any]:
        """See `RecordKind.attributes`."""
        return self._kind(type(record)).attributes(record)

    def load(self, cls: Any, key: Any) -> Any:
        """See `RecordKind.load`."""
        record = callers_record(key)
        return self._kind(cls).load(cls, key) if record is None else record

    def _kind(self, cls: type) -> RecordKind:
        kind = kind_of(cls, self._known)
        if kind is None:
            raise TypeError(f"expected a class of records, got {cls!r}")
        return kind

    def _know(self, module: str) -> None:
        library: Library = import_module(module).library(self._app)
        self._known.append(library)
