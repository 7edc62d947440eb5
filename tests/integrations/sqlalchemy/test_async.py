"""Jobs in the transactions of asyncio, and jobs whose records are read in AsyncSessions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session
from sqlalchemy.orm import object_session

from backburner import EnqueueError, JobHooks, abulk, adelay, aenqueue, delay, enqueue, jobs, testing
from backburner.integrations.sqlalchemy import current_session
from tests.integrations.sqlalchemy.grounds import AsyncGround, listening
from tests.integrations.sqlalchemy.models import SEEN, User, note


def is_active(ground: AsyncGround) -> list[bool]:
    with ground.plain.sessions() as session:
        return list(session.scalars(select(User.is_active).order_by(User.name)))


def test_without_await(async_ground: AsyncGround) -> None:
    async def sign_up() -> None:
        async with async_ground.sessions() as session:
            user = User(name="Ann")
            session.add(user)
            user.delay.activate("code")
            await user.adelay.activate("awaited")
            delay(note, connection=session)("named")
            assert async_ground.plain.jobs() == 0
            await session.commit()
            dropped = User(name="Ben")
            session.add(dropped)
            dropped.delay.activate("code")
            await session.flush()
            dropped.delay.activate("again")
            await session.rollback()

    async_ground.run(sign_up())
    assert (async_ground.plain.names(), async_ground.plain.jobs()) == (["Ann"], 3)


def test_savepoints(async_ground: AsyncGround) -> None:
    async def sign_up() -> None:
        async with async_ground.sessions.begin() as session:
            user = User(name="Ann")
            session.add(user)
            savepoint = await session.begin_nested()
            user.delay.activate("dropped")
            await session.flush()
            user.delay.activate("dropped")
            await savepoint.rollback()
            async with session.begin_nested():
                user.delay.activate("kept")

    async_ground.run(sign_up())
    assert (async_ground.plain.names(), async_ground.plain.jobs()) == (["Ann"], 1)


def test_blocks(async_ground: AsyncGround) -> None:
    async def sign_up() -> None:
        async with async_ground.sessions() as session:
            users = [User(name=name) for name in ("Ann", "Ben", "Eve")]
            session.add_all(users)
            async with abulk():
                for user in users:
                    user.delay.activate()
            await session.commit()

    async_ground.run(sign_up())
    assert async_ground.plain.jobs() == 3


def test_connections(async_ground: AsyncGround) -> None:
    async def sign_up() -> None:
        async with async_ground.engine.connect() as connection:
            await adelay(note, connection=connection)("dropped")
            await connection.rollback()
            with pytest.raises(EnqueueError, match="await adelay"):
                delay(note, connection=connection)("refused")
            await adelay(note, connection=connection)("kept")
            async with abulk():
                delay(note, connection=connection)("kept, in a block")
            await connection.commit()

    async_ground.run(sign_up())
    assert [job.payload.args for job in jobs.where()] == [("kept",), ("kept, in a block",)]


def test_the_present_session_of_a_task(async_ground: AsyncGround) -> None:
    scoped = async_scoped_session(async_ground.sessions, scopefunc=asyncio.current_task)
    async_ground.app.bind(scoped)

    async def sign_up() -> None:
        scoped.add(User(name="Ann"))
        delay(note)("with Ann")
        assert async_ground.plain.jobs() == 0
        await scoped.commit()
        await scoped.remove()

    async_ground.run(sign_up())
    assert async_ground.plain.jobs() == 1


@pytest.mark.parametrize("async_ground", ["aiosqlite"], indirect=True)
def test_jobs_that_are_performed_at_once(async_ground: AsyncGround, seen: list) -> None:
    async def sign_up() -> None:
        with testing.inline():
            async with async_ground.sessions() as session:
                user = User(name="Ann")
                session.add(user)
                user.delay.activate("new")
                await session.commit()
                await session.refresh(user)
                await user.adelay.activate("held")
                await session.rollback()

    async_ground.run(sign_up())
    assert (seen, is_active(async_ground)) == ([("Ann", "new"), ("Ann", "held")], [True])


# In a worker.


@pytest.mark.parametrize("concurrency", [1, 3])
def test_jobs(async_ground: AsyncGround, seen: list, concurrency: int) -> None:
    async_ground.app.bind(async_ground.sessions)
    with async_ground.plain.sessions.begin() as session:
        users = [User(name=name) for name in ("Ann", "Ben", "Eve", "Zoe")]
        session.add_all(users)
        for user in users[:3]:
            delay(look)(user)
        users[3].delay.activate("code")
    for _ in range(2):
        assert async_ground.app.worker(concurrency=concurrency).work_off() == (4, 0)
        assert sorted(seen, key=str) == [("Zoe", "code"), "Ann", "Ben", "Eve"]
        assert is_active(async_ground) == [True] * 4
        seen.clear()
        with async_ground.plain.sessions.begin() as session:
            for user in session.scalars(select(User)):
                user.is_active = False
                user.delay.activate("code") if user.name == "Zoe" else delay(look)(user)
    assert is_active(async_ground) == [False] * 4


@pytest.mark.parametrize("concurrency", [1, 2])
@pytest.mark.parametrize("async_ground", ["aiosqlite"], indirect=True)
def test_a_record_is_read_once(async_ground: AsyncGround, seen: list, concurrency: int) -> None:
    async_ground.app.bind(async_ground.sessions)
    with async_ground.plain.sessions.begin() as session:
        user = User(name="Ann")
        session.add(user)
        delay(see)(user)
    with listening(async_ground.engine.sync_engine) as statements:
        assert async_ground.app.worker(concurrency=concurrency).work_off() == (1, 0)
    assert [statement.split()[0] for statement in statements if "users" in statement] == ["SELECT"]
    assert seen == ["Ann"]


async def see(user: User) -> None:
    SEEN.append(user.name)


async def look(user: User) -> None:
    session = current_session()
    assert isinstance(session, AsyncSession)
    assert object_session(user) is session.sync_session
    assert (await session.scalars(select(User.name).where(User.id == user.id))).one() == user.name
    user.is_active = True
    SEEN.append(user.name)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_jobs_that_fail(async_ground: AsyncGround, seen: list, concurrency: int) -> None:
    async_ground.app.bind(async_ground.sessions)
    with async_ground.plain.sessions.begin() as session:
        user = User(name="Ann")
        session.add(user)
        enqueue(FailingJob(user), max_attempts=1)
    assert async_ground.app.worker(concurrency=concurrency).work_off() == (1, 1)
    assert seen == ["sorry, Ann"]
    assert is_active(async_ground) == [False]
    with async_ground.plain.sessions() as session:
        assert session.query(User).one().nickname == "failed"


class FailingJob(JobHooks):
    def __init__(self, user: User) -> None:
        self.user = user

    async def perform(self) -> None:
        self.user.is_active = True
        await current_session().flush()
        await aenqueue(NeverJob())
        raise RuntimeError("no")

    async def failure(self, job: Any) -> None:
        await current_session().refresh(self.user)
        self.user.nickname = "failed"
        delay(note)(f"sorry, {self.user.name}")


class NeverJob(JobHooks):
    def perform(self) -> None:
        SEEN.append("never")


@pytest.mark.parametrize("concurrency", [1, 3])
def test_jobs_that_run_too_long(async_ground: AsyncGround, seen: list, concurrency: int) -> None:
    async_ground.app.bind(async_ground.sessions)
    with async_ground.plain.sessions.begin() as session:
        user = User(name="Ann")
        session.add(user)
        delay(hang, max_run_time=1.0)(user)
    assert async_ground.app.worker(concurrency=concurrency).work_off() == (0, 1)
    assert "JobTimeout" in jobs.first().last_error
    assert is_active(async_ground) == [False]
    assert seen == ["cancelled"]


async def hang(user: User) -> None:
    user.is_active = True
    try:
        await current_session().flush()
        await asyncio.Event().wait()
    finally:
        SEEN.append("cancelled")
