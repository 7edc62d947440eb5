"""adrain and aperform."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from backburner import JobTimeout
from backburner.testing import Harness
from tests.testing.shop import add, done, fail_slowly, note_id, note_loop, slowly, wait_for_ever


def test_async_jobs_are_performed_in_the_loop_of_the_test(backburner: Harness) -> None:
    async def test() -> None:
        await note_loop.adelay()
        add.delay(2)
        assert await backburner.adrain() == (2, 0)
        assert done == [asyncio.get_running_loop(), 2]

    asyncio.run(test())
    assert backburner.jobs.count(state="succeeded") == 2


def test_adrain_takes_what_drain_takes(backburner: Harness) -> None:
    async def test() -> None:
        slowly.options(run_at=timedelta(hours=1)).delay(1)
        slowly.options(run_at=timedelta(hours=2), queue="other").delay(2)
        slowly.options(run_at=timedelta(hours=3)).delay(3)
        assert await backburner.adrain(until=timedelta(hours=2), queue="default") == (1, 0)
        assert await backburner.adrain(until=timedelta(hours=9), limit=1) == (1, 0)
        assert done == [1, 2]

    asyncio.run(test())


def test_adrain_raises_what_a_job_raises(backburner: Harness) -> None:
    async def test() -> None:
        job = fail_slowly.delay()
        with pytest.raises(ZeroDivisionError):
            await backburner.adrain()
        assert (await backburner.jobs.aget(job.id)).state == "failed"
        fail_slowly.delay()
        assert await backburner.adrain(raises=False) == (0, 1)

    asyncio.run(test())


def test_adrain_interrupts_a_job_that_waits_for_too_long(backburner: Harness) -> None:
    async def test() -> None:
        wait_for_ever.options(max_run_time=0.05).delay()
        with pytest.raises(JobTimeout):
            await asyncio.wait_for(backburner.adrain(), 20)

    asyncio.run(test())


def test_aperform(backburner: Harness) -> None:
    async def test() -> None:
        job: Any = note_id.options(run_at=60).delay()
        assert await backburner.aperform(job) is True
        assert done == [job.id]
        job = fail_slowly.delay()
        assert await backburner.aperform(job.id, raises=False) is False

    asyncio.run(test())


def test_the_plain_ones_where_a_loop_runs(backburner: Harness) -> None:
    async def test() -> None:
        note_loop.delay()
        assert backburner.drain() == (1, 0)
        assert backburner.perform(note_loop.delay()) is True
        assert asyncio.get_running_loop() not in done  # it waited, and another thread had a loop for the job

    asyncio.run(test())
    assert len(done) == 2
