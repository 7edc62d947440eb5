"""`@job`: an ordinary function that can be enqueued as well."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
import typing
from datetime import timedelta
from functools import partial

import pytest

from backburner import Backburner, InvalidOption, Job, NotImportable, UnknownOption, WrongArguments, delay, job
from tests.authoring import shop


def test_a_call_stays_a_call(app, done):
    assert shop.send_welcome(1, lang="de") == "1 de"
    assert done == [("send_welcome", 1, "de")]
    assert app.jobs.count() == 0


def test_delay_enqueues(app, done):
    job = shop.send_welcome.delay(1, lang="de")
    assert isinstance(job, Job)
    assert (job.name, job.queue, job.max_attempts) == ("send_welcome", "mail", 5)
    assert done == []
    assert app.worker().work_off() == (1, 0)
    assert done == [("send_welcome", 1, "de")]


def test_options_are_of_the_next_jobs_only(app):
    urgent = shop.send_welcome.options(priority=10, run_at=timedelta(minutes=5))
    job = urgent.delay(1)
    assert (job.priority, job.queue) == (10, "mail")
    assert job.run_at - job.created_at == timedelta(minutes=5)
    assert urgent.options(queue="low").delay(1).queue == "low"
    assert urgent.delay(1).queue == "mail"
    assert shop.send_welcome.delay(1).priority == 0


def test_async_functions(app, done):
    assert asyncio.run(shop.fetch("a")) == b"a"
    job = shop.fetch.delay("b")
    assert app.worker().perform(job)
    assert done == [("fetch", "a"), ("fetch", "b")]


def test_async_twin(app, done):
    async def main() -> Job[str]:
        await shop.send_welcome.options(priority=3).adelay(2)
        return await shop.send_welcome.adelay(1)

    job = asyncio.run(main())
    assert app.jobs.get(job.id) == job
    assert app.jobs.first().priority == 3


def test_options_that_are_callables_are_asked_at_each_call(app, done):
    assert shop.asked.delay().priority == 0
    done.extend("ab")
    job = shop.asked.delay()
    assert job.priority == 2
    assert job.run_at - job.created_at == timedelta(hours=1)
    assert shop.asked.options(priority=9).delay().priority == 9


def test_it_still_looks_like_the_function():
    function = shop.send_welcome
    assert function.__name__ == function.__qualname__ == "send_welcome"
    assert function.__module__ == "tests.authoring.shop"
    assert function.__doc__ == "Send a welcome."
    assert str(inspect.signature(function)) == "(user_id: 'int', *, lang: 'str' = 'en') -> 'str'"
    assert inspect.unwrap(function) is function.__wrapped__
    assert typing.get_type_hints(function) == {"user_id": int, "lang": str, "return": str}
    assert not inspect.iscoroutinefunction(function)
    assert inspect.iscoroutinefunction(shop.fetch)
    assert repr(function) == "<job send_welcome>"


def test_it_is_pickled_and_copied_by_its_name():
    assert pickle.loads(pickle.dumps(shop.send_welcome)) is shop.send_welcome  # noqa: S301  # made in this line
    assert copy.deepcopy(shop.send_welcome) is shop.send_welcome


def test_attributes_of_the_function_are_kept():
    def titled() -> None:
        pass

    titled.title = "Titled"  # type: ignore[attr-defined]  # as admin sites do it
    assert job(titled).title == "Titled"  # type: ignore[attr-defined]  # see above


def test_jobs_of_one_app(app, monkeypatch):
    with Backburner("memory://") as other:
        own = other.job(queue="own")(shop.plain)
        monkeypatch.setattr(shop, "plain", own)
        assert own.delay(1).queue == "own"
        assert other.jobs.count() == 1
        assert app.jobs.count() == 0


@pytest.mark.parametrize(
    ("args", "kwargs", "reason"),
    [
        ((), {}, "missing a required argument: 'user_id'"),
        ((1, "de"), {}, "too many positional arguments"),
        ((1,), {"land": "de"}, "got an unexpected keyword argument 'land'"),
    ],
)
def test_arguments_are_checked_where_the_job_is_enqueued(app, args, kwargs, reason):
    for enqueue in (shop.send_welcome.delay, delay(shop.send_welcome), shop.send_welcome.options(priority=1).delay):
        with pytest.raises(WrongArguments, match=rf"send_welcome\(.*\).*: {reason}"):
            enqueue(*args, **kwargs)
    assert app.jobs.count() == 0


def test_local_functions_and_lambdas_cannot_be_found_again(app):
    @job
    def local() -> None:
        pass

    with pytest.raises(NotImportable, match="defined inside a function"):
        local.delay()
    with pytest.raises(NotImportable, match="is a lambda"):
        job(lambda: None).delay()
    assert app.jobs.count() == 0


def test_wrong_options_are_errors_at_the_decorator():
    with pytest.raises(UnknownOption, match="unknown option 'prio': expected one of queue"):
        job(prio=3)
    with pytest.raises(InvalidOption, match="priority: expected an integer"):
        job(priority="high")
    with pytest.raises(InvalidOption, match="connection: expected at the call"):
        job(connection=object())
    with pytest.raises(InvalidOption, match=r"priority: expected a callable that takes no parameter, for a function"):
        job(priority=lambda user_id: user_id)


def test_wrong_answers_are_errors_at_the_call(app):
    function = app.job(priority=lambda: "high")(shop.plain)
    with pytest.raises(InvalidOption, match="priority: expected an integer .* got 'high'"):
        function.delay(1)
    assert app.jobs.count() == 0


def test_methods_are_told_what_to_use():
    with pytest.raises(
        WrongArguments, match=r"got the method .*User\.activate: use @handle_asynchronously for methods"
    ):

        class User:
            @job
            def activate(self) -> None:
                pass

    with pytest.raises(TypeError, match="use @handle_asynchronously"):

        class Other:
            @job(queue="mail")
            @classmethod
            def activate(cls) -> None:
                pass


@pytest.mark.parametrize("value", [3, "mail", int, partial(shop.plain, 1), shop.User])
def test_only_functions_are_decorated(value):
    with pytest.raises(WrongArguments, match=r"@job: expected a function, got"):
        job(value)


def test_a_job_is_not_marked_twice():
    with pytest.raises(WrongArguments, match="send_welcome is marked already"):
        job(shop.send_welcome)


def test_generators_would_run_nothing(app, user):
    def numbers() -> typing.Iterator[int]:
        yield 1

    async def anumbers() -> typing.AsyncIterator[int]:
        yield 1

    for function in (numbers, anumbers):
        with pytest.raises(WrongArguments, match="got a generator function"):
            job(function)
    with pytest.raises(WrongArguments, match=r"User\.stream: expected a function that does its work"):
        user.delay.stream()


def test_parameters_may_be_called_anything(app):
    assert shop.odd(self=1, given=2, target=3) == 6
    for enqueue in (shop.odd.delay, delay(shop.odd), delay(shop).odd):
        assert app.worker().perform(enqueue(self=1, given=2, target=3))
