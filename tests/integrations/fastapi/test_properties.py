"""The job exists if and only if the row does, whatever a request does with its AsyncSession."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from hypothesis import HealthCheck, given, settings
from sqlalchemy import String, delete, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import NullPool
from starlette.testclient import TestClient

from backburner import Backburner, Delayable
from backburner.integrations.fastapi import lifespan
from tests.integrations.shares import share_of
from tests.integrations.web_programs import Broken, Undone, programs

PROGRAMS = 200


class Base(DeclarativeBase): ...


class Member(Delayable, Base):
    __tablename__ = "members"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)

    async def greet(self) -> None: ...


async def run(session: AsyncSession, program: list[Any]) -> None:
    for what, *more in program:
        match what:
            case "sign up":
                member = Member(name=more[0])
                session.add(member)
                member.delay.greet()
            case "savepoint":
                await savepoint(session, *more)
            case "break":
                raise Broken
            case _:
                await getattr(session, what)()


async def savepoint(session: AsyncSession, program: list[Any], ends_well: bool) -> None:
    with suppress(Undone):
        async with session.begin_nested():
            await run(session, program)
            if not ends_well:
                raise Undone


def application(backburner: Backburner, engine: AsyncEngine) -> FastAPI:
    sessions = async_sessionmaker(engine)
    backburner.bind(sessions)

    @asynccontextmanager
    async def with_tables(_: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield

    api = FastAPI(lifespan=lifespan(backburner, with_tables))

    @api.post("/")
    async def follow(request: Request) -> str:
        async with sessions() as session:
            await run(session, await request.json())
        return "done"

    @api.delete("/")
    async def clear() -> None:
        async with sessions.begin() as session:
            await session.execute(delete(Member))

    @api.get("/")
    async def keys() -> list[int]:
        async with sessions() as session:
            return sorted(await session.scalars(select(Member.id)))

    return api


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/members.db"
    if request.param == "mysql":
        return str(request.getfixturevalue("mysql_url")).replace("mysql://", "mysql+asyncmy://", 1)
    return str(request.getfixturevalue("postgres_url")).replace("postgresql://", "postgresql+asyncpg://", 1)


def keys_of_jobs(jobs: Backburner) -> list[int]:
    return sorted(json.loads(job.handler)["call"]["on"]["key"] for job in jobs.jobs.where())


def test_the_job_exists_if_and_only_if_the_row_does(url: str) -> None:
    jobs = Backburner(url)
    jobs.migrate()
    engine = create_async_engine(url, poolclass=NullPool)  # requests of TestClient have one loop, but not this test
    seen = {"kept": 0, "dropped": 0}

    with TestClient(application(jobs, engine), raise_server_exceptions=False) as client:

        @settings(
            max_examples=share_of(PROGRAMS),
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        )
        @given(programs())
        def check(program: list[Any]) -> None:
            client.delete("/")
            jobs.jobs.clear()
            client.post("/", json=program)
            client.post("/", json=[*program, ("commit",)])
            rows = client.get("/").json()
            assert keys_of_jobs(jobs) == rows
            seen["kept"] += len(rows)
            seen["dropped"] += 2 * str(program).count("sign up") - len(rows)

        check()
    asyncio.run(engine.dispose())
    assert seen["kept"] > 0
    assert seen["dropped"] > 0
