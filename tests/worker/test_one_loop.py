"""Awaiting from code that blocks, several times in one event loop."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar, copy_context

import pytest

from backburner.worker.awaiting import one_loop, run_awaitable

LIMIT = 20.0

noted: ContextVar[str] = ContextVar("noted")


async def running_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def test_each_awaitable_has_a_loop_of_its_own() -> None:
    assert run_awaitable(running_loop()) is not run_awaitable(running_loop())


def test_within_the_block_all_have_the_same_which_is_closed_in_the_end() -> None:
    with one_loop():
        loop = run_awaitable(running_loop())
        assert run_awaitable(running_loop()) is loop
        assert not loop.is_closed()
    assert loop.is_closed()
    assert run_awaitable(running_loop()) is not loop


def test_a_block_in_which_nothing_is_awaited() -> None:
    with one_loop():
        pass


def test_what_an_awaitable_leaves_behind_is_cancelled() -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def leave() -> asyncio.Task[None]:
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        return task

    with one_loop():
        task = run_awaitable(leave())
        assert (ended, task.cancelled()) == (["cancelled"], True)


def test_an_awaitable_that_is_broken_off_does_not_go_on_with_the_next() -> None:
    ended: list[str] = []

    async def broken_off() -> None:
        asyncio.get_running_loop().call_soon(stop)
        try:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await asyncio.sleep(LIMIT)
            ended.append("went on")
        finally:
            ended.append("cancelled")

    def stop() -> None:
        raise KeyboardInterrupt  # as whatever is raised in this thread from outside

    with one_loop():
        with pytest.raises(KeyboardInterrupt):
            run_awaitable(broken_off())
        assert ended == ["cancelled"]
        run_awaitable(running_loop())


def test_the_context_of_the_caller_is_seen() -> None:
    async def look() -> str:
        return noted.get()

    with one_loop():
        run_awaitable(running_loop())
        noted.set("later than the loop was made")
        assert run_awaitable(look()) == "later than the loop was made"


def test_another_thread_has_another_loop() -> None:
    found: list[asyncio.AbstractEventLoop] = []

    with one_loop():
        loop = run_awaitable(running_loop())
        context = copy_context()
        thread = threading.Thread(target=lambda: context.run(lambda: found.append(run_awaitable(running_loop()))))
        thread.start()
        thread.join(LIMIT)
    assert found[0] is not loop


def test_inside_of_a_loop() -> None:
    async def nested() -> asyncio.AbstractEventLoop:
        return run_awaitable(running_loop())

    with one_loop():
        assert run_awaitable(nested()) is not run_awaitable(running_loop())
