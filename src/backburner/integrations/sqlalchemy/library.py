"""What backburner knows of SQLAlchemy."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection
from sqlalchemy.orm import object_session

from backburner.integrations.sqlalchemy.clerk import Clerk
from backburner.integrations.sqlalchemy.joints import AsyncConnectionJoint, ConnectionJoint, SessionJoint
from backburner.integrations.sqlalchemy.records import attributes_of, is_mapped, key_of
from backburner.integrations.sqlalchemy.scope import Scopes
from backburner.integrations.sqlalchemy.sources import session_of, source_of

if TYPE_CHECKING:
    from backburner.app import Backburner
    from backburner.authoring.libraries import Joint


class SQLAlchemy:
    """The library for one app."""

    def __init__(self, app: Backburner) -> None:
        self._app = app
        self._clerk = Clerk(app)
        self._scopes = Scopes(app)

    def recognises(self, cls: type) -> bool:
        return is_mapped(cls)

    def key(self, record: Any) -> Any:
        return key_of(record)

    def connection(self, record: Any) -> object | None:
        return object_session(record)

    def attributes(self, record: Any) -> Mapping[str, Any]:
        return attributes_of(record)

    def load(self, cls: Any, key: Any) -> Any:
        return self._scopes.load(cls, key)

    def joint(self, connection: object) -> Joint | None:
        session = session_of(connection)
        if session is not None:
            return SessionJoint(session, self._clerk)
        if isinstance(connection, Connection):
            return ConnectionJoint(connection, self._clerk)
        asyncio = sys.modules.get("sqlalchemy.ext.asyncio")
        if asyncio is not None and isinstance(connection, asyncio.AsyncConnection):
            return AsyncConnectionJoint(connection, self._clerk)
        return None

    def default(self) -> object | None:
        return self._scopes.present_session()

    def bind(self, source: object) -> bool:
        found = source_of(source)
        if found is not None:
            self._scopes.bind(found)
        return found is not None
