"""What a path operation may depend on."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from backburner.app import Backburner, current
from backburner.integrations.fastapi.lifespans import STATE


async def get_backburner(connection: HTTPConnection) -> Backburner:
    """Return the app of the server's lifespan, else the current one: `Annotated[Backburner, Depends(get_backburner)]`.

    In Starlette, `request.state.backburner` is the same.
    """
    app = getattr(connection.state, STATE, None)
    return app if isinstance(app, Backburner) else current()
