"""Where an application gets its sessions from, and what is a session."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from sqlalchemy.util import ThreadLocalRegistry

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    AnySession = Session | AsyncSession


class Source:
    """A source of sessions: a factory, and the registry of present sessions that some have beside it."""

    def __init__(self, factory: Callable[..., Any], registry: Any = None) -> None:
        self._factory = factory
        self._registry = registry

    @property
    def is_async(self) -> bool:
        """Whether it is AsyncSessions that it makes."""
        asyncio = sys.modules.get("sqlalchemy.ext.asyncio")
        return asyncio is not None and isinstance(self._factory, asyncio.async_sessionmaker)

    @property
    def engines(self) -> list[Engine]:
        """Those of its engines that it was made with."""
        given = getattr(self._factory, "kw", {})
        binds = [given.get("bind"), *(given.get("binds") or {}).values()]
        engines = (getattr(bind, "sync_engine", bind) for bind in binds)
        return [engine for engine in engines if isinstance(engine, Engine)]

    @property
    def present(self) -> Session | None:
        """The present session of this thread, task or request; None when there is none, or it is in no transaction."""
        if not _is_present(self._registry):
            return None
        session = session_of(self._registry())
        return session if session is not None and session.in_transaction() else None

    def make(self) -> AnySession:
        """Make a session for a job."""
        if self.is_async:
            from backburner.integrations.sqlalchemy.awaiting import without_pools

            return self._factory(**without_pools(self._factory))  # type: ignore[no-any-return]  # it is the caller's
        return self._factory()  # type: ignore[no-any-return]  # the same

    @contextmanager
    def presenting(self, make: Callable[[], AnySession]) -> Iterator[None]:
        """Let the session of a job be the present one within the block, where the source has such."""
        registry = self._registry
        is_present = _is_present(registry)
        # Jobs that take turns in one thread would all find the same one there.
        if is_present is None or (isinstance(registry, ThreadLocalRegistry) and _is_in_loop()):
            yield
            return
        former = registry() if is_present else None
        registry.set(make())
        try:
            yield
        finally:
            registry.clear()
            if former is not None:
                registry.set(former)


def source_of(given: object) -> Source | None:
    """Return the source that something is; None when it is none of SQLAlchemy's."""
    if isinstance(given, sessionmaker):
        return Source(given)
    if isinstance(given, scoped_session):
        return Source(given.session_factory, given.registry)
    asyncio = sys.modules.get("sqlalchemy.ext.asyncio")
    if asyncio is not None and isinstance(given, asyncio.async_sessionmaker):
        return Source(given)
    if asyncio is not None and isinstance(given, asyncio.async_scoped_session):
        return Source(given.session_factory, given.registry)
    return None


def session_of(given: object | None) -> Session | None:
    """Return the session that is meant: itself, the one behind an AsyncSession, the present one of a scoped session."""
    if isinstance(given, Session):
        return given
    if isinstance(given, scoped_session):
        return session_of(given())
    asyncio = sys.modules.get("sqlalchemy.ext.asyncio")
    if asyncio is not None and isinstance(given, asyncio.async_scoped_session):
        given = given()
    if asyncio is not None and isinstance(given, asyncio.AsyncSession):
        return given.sync_session  # type: ignore[no-any-return]  # sys.modules does not tell what is in the module
    return None


def _is_present(registry: Any) -> bool | None:
    """Say whether a registry has a present session; None when it cannot have one here."""
    try:
        return None if registry is None else bool(registry.has())
    except RuntimeError:  # there is nothing that it could belong to: no task, or no application context of Flask's
        return None


def _is_in_loop() -> bool:
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None
