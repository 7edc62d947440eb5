"""Async twins, and many callers at once."""

from __future__ import annotations

import asyncio
import inspect
import threading

import pytest

from backburner import Job, UnknownMethod, UnknownOption, adelay, aenqueue, delay, enqueue, jobs
from tests.authoring import shop

FORMS = {
    "adelay(object)": (lambda user: adelay(user).activate("a"), "User.activate"),
    "adelay(method)": (lambda user: adelay(user.activate)("a"), "User.activate"),
    "adelay(class)": (lambda user: adelay(shop.User).import_all("a"), "User.import_all"),
    "adelay(function)": (lambda user: adelay(shop.plain)(1), "plain"),
    "object.adelay": (lambda user: user.adelay.activate("a"), "User.activate"),
    "object.adelay()": (lambda user: user.adelay(priority=3).activate("a"), "User.activate"),
    "class.adelay": (lambda user: shop.User.adelay.import_all("a"), "User.import_all"),
    "function.adelay": (lambda user: shop.send_welcome.adelay(1), "send_welcome"),
    "function.options.adelay": (lambda user: shop.send_welcome.options(priority=3).adelay(1), "send_welcome"),
    "aenqueue": (lambda user: aenqueue(shop.Hello(user)), "Hello"),
    "adelay(background)": (lambda user: adelay(shop.Device("Lorry")).bare(), "Device.bare"),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_awaited(app, user, form):
    make, name = FORMS[form]

    async def main():
        awaitable = make(user)
        assert inspect.isawaitable(awaitable)
        return await awaitable

    job = asyncio.run(main())
    assert isinstance(job, Job)
    assert job.name == name
    assert jobs.get(job.id) == job


def test_names_and_options_are_checked_without_an_await(app, user):
    with pytest.raises(UnknownMethod):
        user.adelay.activat("a")
    with pytest.raises(UnknownOption):
        adelay(user, prio=3)


def test_errors_leave_the_await(app, user):
    async def main():
        with pytest.raises(TypeError, match="missing a required argument"):
            await user.adelay.activate()

    asyncio.run(main())
    assert jobs.count() == 0


def test_the_ordinary_forms_work_in_a_coroutine(app, user):
    async def main():
        return user.delay.activate("a"), enqueue(shop.Hello(user))

    made = asyncio.run(main())
    assert list(jobs.where()) == list(made)


def test_many_tasks(app, user):
    async def main():
        return await asyncio.gather(*(adelay(user).activate(str(number)) for number in range(50)))

    made = asyncio.run(main())
    assert {job.id for job in jobs.where()} == {job.id for job in made}
    assert len({job.id for job in made}) == 50


def test_many_threads(app, user):
    start = threading.Barrier(8)
    errors = []

    def enqueue_some():
        try:
            start.wait(10)
            for number in range(25):
                delay(user, queue="q").activate(str(number))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=enqueue_some) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert jobs.count(queue="q") == 200
