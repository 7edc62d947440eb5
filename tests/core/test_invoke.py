"""Performing a payload: what leaves it is what was raised."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from backburner import JobHooks
from backburner.core.current import current_job, running_job
from backburner.core.events import Events
from backburner.core.invoke import as_raised, invocation, invoke
from backburner.core.job import Job
from backburner.core.payload import Call
from backburner.testing.contract.driving import new_job


def run(awaitable: Awaitable[Any]) -> Any:
    async def finish() -> Any:
        return await awaitable

    return asyncio.run(finish())


def job_of(payload: Any) -> Job[Any]:
    return new_job(cached_payload=payload)


class Raising(JobHooks):
    """Raises in `perform`, and keeps what its hook is told."""

    def __init__(self, error: BaseException) -> None:
        self.error_to_raise = error
        self.told: list[BaseException] = []

    def perform(self) -> None:
        raise self.error_to_raise

    def error(self, job: Job[Any], exception: BaseException) -> None:
        self.told.append(exception)


def raising(error: BaseException) -> Callable[[], None]:
    def function() -> None:
        raise error

    return function


ERRORS = [
    ValueError("no"),
    StopIteration("stop"),
    StopAsyncIteration("stop"),
    GeneratorExit(),
    RuntimeError("plain"),
    SystemExit(3),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_what_a_payload_raises_leaves_it_unchanged(error: BaseException) -> None:
    payload = Raising(error)
    for each in (payload, Call(raising(error))):
        with pytest.raises(type(error)) as caught:
            invoke(job_of(each), Events(), run)
        assert caught.value is error
        assert error.__cause__ is None
    assert payload.told == [error]


def test_an_error_that_has_a_cause_keeps_it() -> None:
    error, cause = RuntimeError("generator raised StopIteration"), KeyError("mine")
    error.__cause__ = cause
    assert as_raised(error) is error
    with pytest.raises(RuntimeError) as caught:
        invoke(job_of(Call(raising(error))), Events(), run)
    assert caught.value is error
    assert error.__cause__ is cause


def test_an_invocation_asks_for_each_awaitable_and_goes_on_with_its_value() -> None:
    async def double(number: int) -> int:
        assert current_job() is job
        return number * 2

    job = job_of(Call(double, None, (21,)))
    op = invocation(job, Events())
    awaitable = next(op)
    assert asyncio.run(awaitable) == 42
    with pytest.raises(StopIteration) as stop:
        op.send(42)
    assert stop.value.value == 42
    assert running_job() is None


def test_what_is_thrown_into_an_invocation_is_raised_where_it_waits() -> None:
    heard: list[BaseException] = []
    events = Events()

    @lambda listener: events.around("invoke", listener)
    def around(job: Job[Any]) -> Any:
        try:
            yield
        except BaseException as error:
            heard.append(error)
            raise

    async def wait() -> None:
        await asyncio.Event().wait()

    op = invocation(job_of(Call(wait)), events)
    next(op).close()
    error = TimeoutError("late")
    with pytest.raises(TimeoutError) as caught:
        op.throw(error)
    assert caught.value is error
    assert heard == [error]
    assert running_job() is None
