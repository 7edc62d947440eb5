"""AsyncSessions in code that is not async: reading the records of a job, and committing what it did."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool
from sqlalchemy.util.concurrency import await_only, greenlet_spawn, in_greenlet

from backburner.core.ops import Op
from backburner.worker.awaiting import run_awaitable
from backburner.worker.driving import drive

T = TypeVar("T")

_poolless: WeakKeyDictionary[Engine, Engine] = WeakKeyDictionary()
_making = Lock()


def blocking(act: Callable[..., T], *given: Any) -> T:
    """Do something with the inside of an AsyncSession, and wait for it."""
    if in_greenlet():
        return act(*given)
    return run_awaitable(greenlet_spawn(act, *given))


async def drive_in_task(op: Op[T], awaiting: Callable[[Awaitable[Any]], Awaitable[Any]]) -> T:
    """Drive an attempt in this task, so that sessions may wait for the database in the parts that are not async."""
    return await greenlet_spawn(drive, op, lambda awaitable: await_only(awaiting(awaitable)))


def without_pools(factory: Any) -> dict[str, Any]:
    """Return the arguments that let a factory make sessions with connections of their own.

    A connection belongs to the event loop that opened it, and the application's pool may be full of those of another:
    of the application's loop, or of that of an earlier job.
    """
    changed: dict[str, Any] = {}
    bind, binds = factory.kw.get("bind"), factory.kw.get("binds")
    if isinstance(bind, AsyncEngine):
        changed["bind"] = _without_pool(bind)
    if binds:
        changed["binds"] = {
            key: _without_pool(bind) if isinstance(bind, AsyncEngine) else bind for key, bind in binds.items()
        }
    return changed


def _without_pool(engine: AsyncEngine) -> AsyncEngine:
    sync = engine.sync_engine
    if not isinstance(sync.pool, AsyncAdaptedQueuePool):
        return engine
    with _making:
        twin = _poolless.get(sync)
        if twin is None:
            twin = _twin(sync)
            # With its first connection an engine finds out about the server, under a lock that knows one event loop.
            run_awaitable(greenlet_spawn(_connect_once, twin))
            _poolless[sync] = twin
        twin._has_events = sync._has_events  # those that it listens to may have come later
    return AsyncEngine(twin)


def _twin(engine: Engine) -> Engine:
    """Return an engine that differs in nothing, listeners included, but opens a connection whenever one is wanted."""
    pool = NullPool(engine.pool._creator, dialect=engine.dialect, _dispatch=engine.pool.dispatch)
    twin = Engine(pool, engine.dialect, engine.url, hide_parameters=engine.hide_parameters)
    twin.dispatch = twin.dispatch._join(engine.dispatch)
    return twin


def _connect_once(engine: Engine) -> None:
    engine.connect().close()
