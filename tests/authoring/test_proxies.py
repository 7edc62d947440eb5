"""What stands between `.delay` and the call forwards names of methods and refuses all else."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Awaitable
from types import SimpleNamespace

import pytest

from backburner import BackburnerError, EnqueueError, UnknownMethod, UnknownOption, WrongArguments, adelay, delay
from tests.authoring import shop

OPERATIONS = {
    "==": lambda proxy: proxy == 1,
    "!=": lambda proxy: proxy != 1,
    "<": lambda proxy: proxy < 1,
    "bool": bool,
    "hash": hash,
    "str": str,
    "format": lambda proxy: f"{proxy}",
    "len": len,
    "iter": list,
    "in": lambda proxy: 1 in proxy,
    "[]": lambda proxy: proxy[0],
    "[]=": lambda proxy: proxy.__setitem__(0, 1),
    "+": lambda proxy: proxy + 1,
    "int": int,
    "with": lambda proxy: proxy.__enter__(),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": pickle.dumps,
    "set": lambda proxy: setattr(proxy, "name", "Eve"),
    "del": lambda proxy: delattr(proxy, "name"),
    "dunder": lambda proxy: proxy.__init__(),
    "slot": lambda proxy: proxy._inside,
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("make", [lambda user: user.delay, delay, adelay])
def test_an_operation_on_a_proxy_says_that_a_call_was_expected(app, user, make, operation):
    proxy = make(user)
    with pytest.raises(EnqueueError, match="User") as caught:
        OPERATIONS[operation](proxy)
    assert isinstance(caught.value, (TypeError, AttributeError))
    assert app.jobs.count() == 0
    assert user.name == "Ann"


def test_the_message_says_what_is_wrong(app, user):
    with pytest.raises(
        WrongArguments, match=r"__len__: expected the call of a method of User, got an operation on what"
    ):
        len(delay(user))
    with pytest.raises(UnknownMethod, match=r"__init__ of User: expected a method, names with two leading underscores"):
        delay(user).__init__()  # type: ignore[misc]  # the mistake that is tested


def test_with_statement_and_arithmetic(app, user):
    with pytest.raises(TypeError), user.delay:
        pass
    with pytest.raises(TypeError):
        user.delay * 2


def test_the_mistyped_name_is_an_error_before_the_call(app, user):
    with pytest.raises(UnknownMethod, match=r"User has no method activat; did you mean activate\?"):
        user.delay.activat  # noqa: B018  # only the look-up is tested
    assert not hasattr(user.delay, "activat")


@pytest.mark.parametrize("name", ["full_name", "initials"])
def test_properties_do_not_run_and_are_no_methods(app, user, name):
    with pytest.raises(UnknownMethod, match=rf"User\.{name} is not a method but a (property|cached_property)"):
        getattr(user.delay, name)


def test_plain_values_are_no_methods(app, user):
    with pytest.raises(UnknownMethod, match=r"User\.kind is not a method but a str"):
        user.delay.kind()


def test_attributes_of_the_instance_are_no_methods(app, user):
    user.activat = lambda: None
    with pytest.raises(UnknownMethod):
        user.delay.activat()


def test_options_go_by_name(app, user):
    with pytest.raises(WrongArguments, match=r"\.delay of User: expected options by name, got \(5,\)"):
        user.delay(5)
    with pytest.raises(UnknownOption, match="unknown option 'prio': expected one of queue, priority, run_at"):
        user.delay(prio=5)


def test_a_proxy_shows_what_it_stands_for(app, user):
    assert repr(user.delay) == "<jobs of User: expects the call of a method>"
    assert repr(shop.User.delay) == "<jobs of <class 'tests.authoring.shop.User'>: expects the call of a method>"
    assert repr(user.delay.activate) == "<User.activate, enqueued when it is called>"
    assert repr(delay(shop.plain)) == "<plain, enqueued when it is called>"
    assert "activate" in dir(user.delay)


def test_a_proxy_does_not_pass_for_awaitable(app, user):
    assert not isinstance(user.delay, Awaitable)
    assert not inspect.isawaitable(delay(user))


def test_a_target_may_have_attributes_called_like_those_of_a_proxy(app):
    job = delay(shop.Note("hi"), queue="_target").print()
    assert job.queue == "_target"


def test_delay_takes_one_target():
    with pytest.raises(TypeError):
        delay()  # type: ignore[call-arg]  # the mistake that is tested


@pytest.mark.parametrize("value", [None, 3, SimpleNamespace(run=print), object()])
def test_values_without_such_a_method(app, value):
    with pytest.raises(UnknownMethod, match="has no method run"):
        delay(value).run()


def test_every_refusal_is_a_backburner_error(app, user):
    with pytest.raises(BackburnerError):
        bool(user.delay)
