"""The promise: the job exists if and only if the row does, whatever an application does with its session."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from sqlalchemy import delete, insert, select

from backburner import Backburner
from backburner.app import use
from backburner.integrations.sqlalchemy.joints import SessionJoint
from tests.integrations.shares import share_of
from tests.integrations.sqlalchemy import programs
from tests.integrations.sqlalchemy.grounds import AsyncGround, Ground
from tests.integrations.sqlalchemy.models import Seat, User

SEVERAL = settings(
    max_examples=share_of(200), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def prepare(ground: Ground) -> None:
    with ground.sessions.begin() as session:
        session.execute(insert(User).values(name="Ann", is_active=False))
        session.execute(insert(Seat).values(row="taken", number=0))


def check(ground: Ground, app: Backburner) -> None:
    """Compare what a program has left."""
    with ground.sessions.begin() as session:
        rows = sorted(session.scalars(select(Seat.number).where(Seat.row == "r")))
        session.execute(delete(Seat).where(Seat.row == "r"))
    found = sorted(int(job.tags[0]) for job in app.jobs.where())
    app.jobs.clear()
    event(f"{min(len(rows), 3)} rows are left")
    assert found == rows


def check_many(ground: Ground, app: Backburner) -> None:
    prepare(ground)

    @SEVERAL
    @given(programs.programs, programs.fatal_statements)
    def programs_keep_the_promise(program: programs.Program, fatal: int | None) -> None:
        with programs.failing_at(fatal, ground.engine):
            programs.run(program, ground.sessions())
        check(ground, app)

    programs_keep_the_promise()


def check_many_async(ground: AsyncGround, app: Backburner) -> None:
    prepare(ground.plain)
    with asyncio.Runner() as runner:

        @SEVERAL
        @given(programs.programs, programs.fatal_statements)
        def programs_keep_the_promise(program: programs.Program, fatal: int | None) -> None:
            with programs.failing_at(fatal, ground.engine.sync_engine):
                runner.run(programs.arun(program, ground.sessions()))
            check(ground.plain, app)

        try:
            programs_keep_the_promise()
        finally:
            runner.run(ground.engine.dispose())


def test_programs(ground: Ground) -> None:
    check_many(ground, ground.app)


def test_programs_with_asyncio(async_ground: AsyncGround) -> None:
    check_many_async(async_ground, async_ground.app)


def test_programs_whose_jobs_are_kept_elsewhere(shop: Ground, elsewhere: Backburner) -> None:
    check_many(shop, elsewhere)


@pytest.mark.parametrize("async_ground", ["aiosqlite"], indirect=True)
def test_programs_with_asyncio_whose_jobs_are_kept_elsewhere(async_ground: AsyncGround, elsewhere: Backburner) -> None:
    check_many_async(async_ground, elsewhere)


@pytest.fixture
def elsewhere(request) -> Iterator[Backburner]:
    """The current app, which keeps its jobs in memory."""
    request.getfixturevalue("async_ground" if "async_ground" in request.fixturenames else "shop")
    with Backburner("memory://", allow=["tests.integrations.sqlalchemy"]) as app, use(app):
        yield app


def test_that_a_broken_promise_is_seen(shop: Ground, elsewhere: Backburner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test of the test: with jobs that take no part in rollbacks, it fails."""

    def put_at_once(joint: Any, jobs: Any) -> None:
        elsewhere.store.run(elsewhere.store.enqueue(jobs))

    monkeypatch.setattr(SessionJoint, "put", put_at_once)
    with pytest.raises(AssertionError):
        check_many(shop, elsewhere)
