"""What is said of where a job is just now."""

from __future__ import annotations

import asyncio
import threading
from types import coroutine
from typing import Any

import pytest

from backburner.worker.stacks import stack_of

SOON = 30.0


def functions(stack: tuple[str, ...]) -> list[str]:
    """Return the names of the functions of this file."""
    return [line.rpartition(" ")[2] for line in stack if line.startswith(f"{__file__}:")]


@coroutine
def old_style(gate: asyncio.Future[None]) -> Any:
    yield from gate


async def wait_within(gate: asyncio.Future[None]) -> None:
    await old_style(gate)


async def wait(gate: asyncio.Future[None]) -> None:
    await wait_within(gate)


def test_a_task_that_waits_is_shown_down_to_what_it_waits_for() -> None:
    async def look() -> tuple[str, ...]:
        gate = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(wait(gate))
        await asyncio.sleep(0)  # the task goes as far as the gate
        stack = stack_of((threading.get_ident(), task))
        gate.set_result(None)
        await task
        assert stack_of((threading.get_ident(), task)) == ()
        return stack

    assert functions(asyncio.run(look())) == ["old_style", "wait_within", "wait"]


class Stay:
    """Stays in a function of a thread until it may go."""

    def __init__(self) -> None:
        self.is_there, self.may_go = threading.Event(), threading.Event()
        self.task: asyncio.Task[Any] | None = None

    def here(self) -> None:
        self.is_there.set()
        self.may_go.wait(SOON)

    async def blocking_the_loop(self) -> None:
        self.task = asyncio.current_task()
        self.here()


@pytest.mark.parametrize("is_task", [False, True])
def test_what_runs_is_shown_by_its_thread(is_task: bool) -> None:
    stay = Stay()
    function = (lambda: asyncio.run(stay.blocking_the_loop())) if is_task else stay.here
    thread = threading.Thread(target=function)
    thread.start()
    assert stay.is_there.wait(SOON)
    performer = thread.ident or 0, stay.task
    stack = functions(stack_of(performer))
    stay.may_go.set()
    thread.join(SOON)
    assert stack[: 1 + is_task] == ["Stay.here", "Stay.blocking_the_loop"][: 1 + is_task]
    assert stack_of(performer) == ()
