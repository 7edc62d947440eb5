"""`delay(target)` and the mixin's `.delay`: every form enqueues, and what is performed is the call that was written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest

from backburner import Job, delay
from tests.authoring import shop


def performed(app, job, done):
    """Perform a job in a worker, from what the store has of it, and return what was done."""
    assert app.worker().perform(job.id)
    return done


FORMS = {
    "delay(object)": (lambda user: delay(user).activate("code", notify=True), ("activate", "Ann", "code", True)),
    "delay(method)": (lambda user: delay(user.activate)("code"), ("activate", "Ann", "code", False)),
    "delay(class)": (lambda user: delay(shop.User).import_all("a.csv"), ("import_all", "User", "a.csv")),
    "delay(classmethod)": (lambda user: delay(shop.Admin.import_all)("a.csv"), ("import_all", "Admin", "a.csv")),
    "delay(instance).classmethod": (lambda user: delay(user).import_all("a.csv"), ("import_all", "User", "a.csv")),
    "delay(class).static": (lambda user: delay(shop.User).vacuum("jobs"), ("vacuum", "jobs")),
    "delay(static)": (lambda user: delay(shop.User.vacuum)("jobs"), ("vacuum", "jobs")),
    "delay(unbound)": (lambda user: delay(shop.User.activate)(user, "x"), ("activate", "Ann", "x", False)),
    "delay(module)": (lambda user: delay(shop).plain(3), ("plain", 3)),
    "delay(module).job": (lambda user: delay(shop).send_welcome(3), ("send_welcome", 3, "en")),
    "delay(function)": (lambda user: delay(shop.plain)(3), ("plain", 3)),
    "delay(job)": (lambda user: delay(shop.send_welcome)(3, lang="de"), ("send_welcome", 3, "de")),
    "delay(value)": (lambda user: delay(shop.Note("hi")).print(copies=2), ("print", "hi", 2)),
    "delay(async)": (lambda user: delay(user).aactivate("code"), ("aactivate", "Ann", "code")),
    "delay(private)": (lambda user: delay(user)._private(), ("private", "Ann")),
    "object.delay": (lambda user: user.delay.activate("code"), ("activate", "Ann", "code", False)),
    "object.delay()": (lambda user: user.delay(priority=5).activate("code"), ("activate", "Ann", "code", False)),
    "class.delay": (lambda user: shop.Admin.delay.import_all("a.csv"), ("import_all", "Admin", "a.csv")),
    "class.delay()": (lambda user: shop.User.delay(queue="low").import_all("a.csv"), ("import_all", "User", "a.csv")),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_returns_a_job_that_makes_the_call(app, user, done, form):
    write, expected = FORMS[form]
    job = write(user)
    assert isinstance(job, Job)
    assert done == []
    assert app.jobs.get(job.id) == job
    assert performed(app, job, done) == [expected]


def test_app_and_module_do_the_same(app, user):
    assert app.delay(user, queue="own").activate("code").queue == "own"
    assert app.jobs.count(queue="own") == 1


def test_options_reach_the_job(app, user):
    at = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    job = delay(
        user,
        queue="mail",
        priority=-5,
        run_at=at,
        max_attempts=3,
        max_run_time=60,
        keep_failed=False,
        missing_record="discard",
        tags=["a", "b"],
    ).activate("code")
    stored = app.jobs.get(job.id)
    assert stored == job
    assert (stored.queue, stored.priority, stored.run_at, stored.max_attempts) == ("mail", -5, at, 3)
    assert (stored.max_run_time, stored.keep_failed) == (timedelta(minutes=1), False)
    assert (stored.discard_missing, stored.tags) == (True, ("a", "b"))


def test_options_of_the_mixin_add_up(app, user):
    job = user.delay(priority=5, queue="a")(queue="b").activate("code")
    assert (job.priority, job.queue) == (5, "b")


def test_options_never_share_a_name_with_arguments(app, done):
    job = delay(shop.plain, priority=5)(number=3)
    assert job.priority == 5
    assert performed(app, job, done) == [("plain", 3)]


def test_the_handler_shows_the_record_and_no_secret(app, user):
    handler = user.delay.activate("code").handler
    assert "Ann" in handler
    assert "ann@example.com" in handler
    assert "s3cret" not in handler


def test_names(app, user):
    assert user.delay.activate("x").name == "User.activate"
    assert shop.Admin(8, "Eve").delay.activate("x").name == "Admin.activate"
    assert shop.User.delay.import_all("x").name == "User.import_all"
    assert shop.send_welcome.delay(1).name == "send_welcome"
    assert delay(shop).plain(1).name == "shop.plain"


def test_a_returned_job_can_load_its_payload(app, user):
    payload = user.delay.activate("code", notify=True).payload
    assert (payload.target, payload.method, payload.args, payload.kwargs) == (
        user,
        "activate",
        ("code",),
        {"notify": True},
    )


def test_a_proxy_may_be_called_again(app, user):
    proxy = user.delay
    first, second = proxy.activate("a"), proxy.activate("b")
    assert first.id < second.id
    assert app.jobs.count() == 2


def test_the_mixin_can_be_mocked_as_in_the_tutorial(app):
    with mock.patch.object(shop.User, "delay") as delayed:
        shop.User.delay.import_all("a.csv")
    assert not isinstance(delayed, mock.AsyncMock)
    delayed.import_all.assert_called_once_with("a.csv")
    assert app.jobs.count() == 0
    assert isinstance(shop.User.delay.import_all("a.csv"), Job)


def test_a_mocked_method_can_be_enqueued(app, user):
    with mock.patch.object(shop.User, "activate") as activate:
        job = user.delay.activate("code")
        assert app.worker().perform(job.id)
    activate.assert_called_once()
