"""FastAPI and Starlette: an app that lives as long as the server, and a worker beside it for development."""

from __future__ import annotations

from backburner.integrations.fastapi.dependencies import get_backburner
from backburner.integrations.fastapi.embedding import embedded_worker
from backburner.integrations.fastapi.lifespans import lifespan

__all__ = ["embedded_worker", "get_backburner", "lifespan"]
