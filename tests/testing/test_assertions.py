"""assert_enqueued and refute_enqueued."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from textwrap import dedent
from typing import Any
from uuid import UUID

import pytest

from backburner import NotImportable, UnsavedRecord, WrongArguments, delay, enqueue
from backburner.testing import Harness
from tests.testing import shop
from tests.testing.shop import HelloEmailJob, Plain, ShopMailer, User, add, plain_function


def failure(backburner: Harness, *args: Any, **kwargs: Any) -> str:
    """Return what a failing assert_enqueued says, without times and the module."""
    with pytest.raises(AssertionError) as raised:
        backburner.assert_enqueued(*args, **kwargs)
    return without_times(str(raised.value))


def without_times(text: str) -> str:
    return re.sub(r"run_at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "run_at NOW", text)


def text(block: str) -> str:
    return dedent(block).strip()


def test_a_method_of_a_mailer(backburner: Harness) -> None:
    user = User(7, "Ann")
    job: Any = ShopMailer.delay(queue="mail").hello(user, lang="de")
    assert backburner.assert_enqueued(ShopMailer.hello, user, queue="mail") == job
    assert backburner.assert_enqueued(ShopMailer.hello) == job
    assert backburner.assert_enqueued(ShopMailer.hello, user, "de") == job
    assert backburner.assert_enqueued(ShopMailer.hello, lang="de") == job
    backburner.refute_enqueued(ShopMailer.hello, lang="en")
    backburner.refute_enqueued(ShopMailer.hello, queue="default")
    backburner.refute_enqueued(ShopMailer.bye)


def test_a_method_of_a_record(backburner: Harness) -> None:
    user = User(7, "Ann")
    user.delay.activate("code", notify=True)
    backburner.assert_enqueued(user.activate)
    backburner.assert_enqueued(user.activate, "code")
    backburner.assert_enqueued(user.activate, code="code", notify=True)
    backburner.refute_enqueued(User(8, "Bob").activate)
    backburner.refute_enqueued(user.activate, "another")


def test_records_are_compared_by_key(backburner: Harness) -> None:
    delay(User(7, "Ann")).activate("code")
    ShopMailer.delay.hello(User(7, "Ann"))
    enqueue(HelloEmailJob(User(7, "Ann")))
    renamed = User(7, "Anna")
    backburner.assert_enqueued(renamed.activate)
    backburner.assert_enqueued(ShopMailer.hello, renamed)
    backburner.assert_enqueued(HelloEmailJob(renamed))


def test_a_method_that_always_runs_in_the_background(backburner: Harness) -> None:
    user = User(7, "Ann")
    user.rename("Anna")
    backburner.assert_enqueued(user.rename, "Anna", queue="users")
    backburner.refute_enqueued(user.rename, "Bob")


def test_methods_of_classes(backburner: Harness) -> None:
    User.delay.import_all("users.csv")
    User.delay.purge(7)
    backburner.assert_enqueued(User.import_all, "users.csv")
    backburner.assert_enqueued(User.purge, 7)
    backburner.refute_enqueued(User.purge, 30)


def test_functions(backburner: Harness) -> None:
    add.delay(1, 2, 3, factor=2, other=5)
    delay(plain_function)(4)
    backburner.assert_enqueued(add, 1)
    backburner.assert_enqueued(add, number=1)
    backburner.assert_enqueued(add, 1, 2)
    backburner.assert_enqueued(add, factor=2, other=5)
    backburner.refute_enqueued(add, 1, 3)
    backburner.refute_enqueued(add, 1, 2, 3, 4)
    backburner.refute_enqueued(add, other=6)
    backburner.refute_enqueued(add, another=5)
    backburner.assert_enqueued(plain_function, 4)


def test_functions_of_a_delayed_module(backburner: Harness) -> None:
    delay(shop).plain_function(4)
    backburner.assert_enqueued(plain_function, 4)


def test_what_was_not_given_is_not_what_is_the_default(backburner: Harness) -> None:
    add.delay(1)
    backburner.refute_enqueued(add, factor=1)


def test_job_objects(backburner: Harness) -> None:
    user = User(7, "Ann")
    enqueue(HelloEmailJob(user, ["a"]))
    enqueue(Plain(3))
    backburner.assert_enqueued(HelloEmailJob)
    backburner.assert_enqueued(HelloEmailJob(user, ["a"]))
    backburner.refute_enqueued(HelloEmailJob(user))
    backburner.refute_enqueued(HelloEmailJob(User(8, "Bob"), ["a"]))
    backburner.assert_enqueued(Plain(3), queue="plain")
    backburner.refute_enqueued(Plain(4))


def test_a_class_stands_for_all_that_is_done_with_it(backburner: Harness) -> None:
    ShopMailer.delay.bye(User(7, "Ann"))
    backburner.assert_enqueued(ShopMailer)
    backburner.refute_enqueued(User)
    delay(User(7, "Ann")).activate("code")
    backburner.assert_enqueued(User)
    backburner.refute_enqueued(HelloEmailJob)


def test_options(backburner: Harness) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    add.options(queue="sums", priority=5, run_at=tomorrow).delay(1)
    add.options(run_at=timedelta(minutes=5)).delay(2)
    backburner.assert_enqueued(add, queue="sums", priority=5, run_at=tomorrow)
    backburner.assert_enqueued(add, 2, run_at=timedelta(minutes=5))
    backburner.assert_enqueued(add, 2, run_at=300)
    backburner.refute_enqueued(add, 1, priority=6)
    backburner.refute_enqueued(add, 1, run_at=tomorrow + timedelta(microseconds=1))
    backburner.refute_enqueued(add, 2, run_at=timedelta(minutes=6))


def test_count(backburner: Harness) -> None:
    add.delay(1)
    newest = add.delay(1)
    add.delay(2)
    assert backburner.assert_enqueued(add, 1, count=2) == newest
    assert failure(backburner, add, 1, count=3) == text("""
        expected 3 jobs add(1); found 2 among 3 jobs
        The nearest, with - what was expected and + what was enqueued:
          add(1), queue 'default', priority 0, run_at NOW
          add(1), queue 'default', priority 0, run_at NOW
          add(2), queue 'default', priority 0, run_at NOW
            - number: 1
            + number: 2
    """)
    assert failure(backburner, add, 1, count=1).startswith("expected 1 job add(1); found 2 among 3 jobs\n")


def test_a_count_of_none_is_asserted_otherwise(backburner: Harness) -> None:
    with pytest.raises(ValueError, match=r"^count: expected 1 or more, got 0; refute_enqueued asserts that"):
        backburner.assert_enqueued(add, count=0)


def test_nothing_is_enqueued(backburner: Harness) -> None:
    user = User(7, "Ann")
    assert failure(backburner, ShopMailer.hello, user, queue="mail") == (
        "expected a job ShopMailer.hello(User 7), queue 'mail'; nothing is enqueued"
    )


def test_a_failure_shows_the_nearest_jobs_first(backburner: Harness) -> None:
    ann, bob = User(7, "Ann"), User(8, "Bob")
    enqueue(HelloEmailJob(ann, ["x"]))
    ann.delay(priority=3).activate("c")
    ShopMailer.delay.hello(bob, lang="de")
    ShopMailer.delay(queue="mail").hello(bob)
    assert failure(backburner, ShopMailer.hello, ann, queue="mail") == text("""
        expected a job ShopMailer.hello(User 7), queue 'mail'; found none among 4 jobs
        The nearest, with - what was expected and + what was enqueued:
          ShopMailer.hello(User 8), queue 'mail', priority 0, run_at NOW
            - user: User 7
            + user: User 8
          ShopMailer.hello(User 8, lang='de'), queue 'default', priority 0, run_at NOW
            - user: User 7
            + user: User 8
            - queue: 'mail'
            + queue: 'default'
          HelloEmailJob(user=User 7, tags=['x']), queue 'default', priority 0, run_at NOW
            - job: ShopMailer.hello
            + job: HelloEmailJob
          User.activate('c') on User 7, queue 'default', priority 3, run_at NOW
            - job: ShopMailer.hello
            + job: User.activate
    """)
    assert failure(backburner, bob.activate, "d").splitlines()[2:7] == [
        "  User.activate('c') on User 7, queue 'default', priority 3, run_at NOW",
        "    - receiver: User 8",
        "    + receiver: User 7",
        "    - code: 'd'",
        "    + code: 'c'",
    ]


def test_a_failure_shows_five_jobs(backburner: Harness) -> None:
    for number in range(7):
        add.delay(number)
    said = failure(backburner, add, 9)
    assert said.startswith("expected a job add(9); found none among 7 jobs\n")
    assert len(re.findall(r"^  add\(", said, re.MULTILINE)) == 5


def test_how_times_differ(backburner: Harness) -> None:
    job = add.options(run_at=timedelta(days=1)).delay(1)
    assert failure(backburner, add, run_at=timedelta(minutes=1)).splitlines()[-2:] == [
        "    - run_at: 0:01:00 from its making",
        "    + run_at: 1 day, 0:00:00 from its making",
    ]
    assert failure(backburner, add, run_at=datetime(2026, 1, 2, tzinfo=UTC)).splitlines()[-2:] == [
        "    - run_at: 2026-01-02 00:00:00+00:00",
        f"    + run_at: {job.run_at.isoformat(sep=' ')}",
    ]


def test_what_refute_enqueued_says(backburner: Harness) -> None:
    enqueue(HelloEmailJob(User(7, "Ann")))
    with pytest.raises(AssertionError) as raised:
        backburner.refute_enqueued(HelloEmailJob)
    assert without_times(str(raised.value)) == text("""
        expected no job HelloEmailJob; found 1 job:
          HelloEmailJob(user=User 7, tags=[]), queue 'default', priority 0, run_at NOW
    """)


def test_values_are_shown_as_people_read_them(backburner: Harness) -> None:
    enqueue(HelloEmailJob(User(7, "Ann")))
    delay(plain_function)({"a": [1, (2, User)], "b": HelloEmailJob(User(7, "Ann")), "c": timedelta(1), 1: add})
    assert failure(backburner, plain_function, (1,)).splitlines()[2].startswith("  plain_function(dict [")
    delay(plain_function)({"a": [1, (2, User)], "b": HelloEmailJob(User(7, "Ann")), "c": add})
    assert (
        "  plain_function({'a': [1, (2, User)], 'b': HelloEmailJob(user=User 7, tags=[]), 'c': add}), queue"
        in failure(backburner, plain_function, 1)
    )


def test_a_job_that_cannot_be_read_is_no_hindrance(backburner: Harness) -> None:
    job = add.delay(1)
    store = backburner.app.store
    for number, handler in enumerate(["{", "[]", "null", '{"v":1}', '{"v":1,"call":7}', '{"v":1,"call":{"on":[]}}']):
        unreadable = replace(job, id=UUID(int=job.id.int + number + 1), handler=handler)
        store.run(store.enqueue([unreadable]))
    backburner.assert_enqueued(add, 1, count=1)
    assert "  (unreadable)(), queue 'default'" in failure(backburner, add, 2)
    assert "    - job: add\n    + job: a handler that cannot be read" in failure(backburner, add, 2)


def test_a_job_of_an_earlier_signature_is_no_hindrance(backburner: Harness) -> None:
    job: Any = delay(User(7, "Ann")).activate  # its call returns the job
    job = job("code")
    backburner.app.jobs.clear()
    store = backburner.app.store
    store.run(store.enqueue([replace(job, handler=job.handler.replace('"args":["code"]', '"args":["code",1,2]'))]))
    assert failure(backburner, User(7, "Ann").activate, "code").splitlines()[-2:] == [
        "    - arguments: (code: 'str', *, notify: 'bool' = False) -> 'None'",
        "    + arguments: too many positional arguments",
    ]


def test_mistakes_in_the_test_itself(backburner: Harness) -> None:
    user = User(7, "Ann")
    with pytest.raises(WrongArguments, match=r"^User.activate\(code: .*: got an unexpected keyword argument 'cod'$"):
        backburner.refute_enqueued(user.activate, cod="x")
    with pytest.raises(WrongArguments, match=r"^plain_function\(number: 'Any'\).*: too many positional arguments$"):
        backburner.refute_enqueued(plain_function, 1, 2)
    with pytest.raises(TypeError) as raised:
        backburner.refute_enqueued(user)
    assert str(raised.value) == (
        f"expected a function, a bound method such as user.activate, a class or a job object, got {user!r}"
    )
    with pytest.raises(TypeError) as raised:
        backburner.refute_enqueued(HelloEmailJob, user)
    assert str(raised.value) == (
        "expected HelloEmailJob(…), a job object, to compare fields, or HelloEmailJob alone; "
        "got HelloEmailJob and arguments"
    )
    with pytest.raises(NotImportable, match="is a lambda"):
        backburner.refute_enqueued(lambda: None)
    with pytest.raises(UnsavedRecord, match="has no key"):
        backburner.refute_enqueued(ShopMailer.hello, User(None, "Cy"))
    with pytest.raises(TypeError, match="^run_at: expected an aware datetime or a timedelta from now, got the naive"):
        backburner.refute_enqueued(add, run_at=datetime(2026, 1, 1))  # the mistake


def test_enqueued_lists_what_waits(backburner: Harness) -> None:
    first = add.delay(1)
    later = add.options(run_at=timedelta(days=1)).delay(2)
    assert backburner.enqueued() == [first, later]
    backburner.drain()
    assert backburner.enqueued() == [later]
