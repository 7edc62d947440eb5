"""The application, `uvicorn fastapi_signup.app:api`.

Its worker is `backburner --app fastapi_signup.app:backburner work`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError

from backburner import Backburner
from backburner.integrations.fastapi import get_backburner, lifespan

from . import settings
from .database import Base, Session, engine, sessions
from .services import sign_up

backburner = Backburner(settings.DATABASE_URL, mail=settings.MAIL_URL)
backburner.bind(sessions)


@asynccontextmanager
async def with_tables(_: FastAPI) -> AsyncIterator[None]:
    """Make the application's tables; close its connections in the end."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


api = FastAPI(title="Sign up", lifespan=lifespan(backburner, with_tables, worker=settings.EMBEDDED_WORKER))


class Person(BaseModel):
    """Who wants to sign up."""

    name: str
    email: str


@api.post("/users", status_code=201)
async def create_user(person: Person, session: Session) -> dict[str, int]:
    try:
        user = await sign_up(session, person.name, person.email)
    except IntegrityError:
        raise HTTPException(422, "This address has signed up already.") from None
    return {"id": user.id}


@api.get("/jobs")
async def count_jobs(jobs: Annotated[Backburner, Depends(get_backburner)]) -> dict[str, int]:
    """Say how many jobs are waiting."""
    return {"waiting": await jobs.jobs.acount()}
