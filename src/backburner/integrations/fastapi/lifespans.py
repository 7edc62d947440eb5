"""The lifespan of an ASGI application, with an app of backburner in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from backburner.app import Backburner, current, use
from backburner.integrations.fastapi.embedding import aembedded_worker

STATE = "backburner"
"""Under which name the state of each request has the app."""

Lifespan = Callable[[Any], AbstractAsyncContextManager[Any]]
"""What FastAPI and Starlette take as `lifespan=`."""


def lifespan(
    app: Backburner | None = None, inner: Lifespan | None = None, *, worker: bool | Mapping[str, Any] = False
) -> Lifespan:
    """Make a lifespan in which an app is the current one and each request's `state.backburner`; it is closed after it.

    `app`: default is the one that is current when the server starts. `inner`: your own lifespan, which begins later and
    ends sooner. `worker=True` runs a worker beside the server, in a thread, for development; a mapping is for its
    options, as in `worker={"concurrency": 4}`.
    """

    @asynccontextmanager
    async def lifespan_with_jobs(asgi_app: Any) -> AsyncIterator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            jobs = app if app is not None else current()
            await stack.enter_async_context(jobs)
            stack.enter_context(use(jobs))
            state = await stack.enter_async_context(inner(asgi_app)) if inner is not None else None
            if worker is not False:
                await stack.enter_async_context(aembedded_worker(jobs, {} if worker is True else worker))
            yield {**(state or {}), STATE: jobs}

    return lifespan_with_jobs
