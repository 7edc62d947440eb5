"""Assertions about jobs that are not known exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import ANY

import pytest

from backburner import NotImportable, delay, enqueue
from backburner.testing import Harness, matching, within
from tests.testing.shop import HelloEmailJob, ShopMailer, User, add, plain_function
from tests.testing.test_assertions import failure, text


def is_even(number: int) -> bool:
    return number % 2 == 0


@dataclass(frozen=True)
class Frozen:
    number: int
    lines: list[Any] = field(default_factory=list)

    def perform(self) -> None: ...


class Slotted:
    __slots__ = ("number",)

    def __init__(self, number: Any) -> None:
        self.number = number

    def perform(self) -> None: ...


@dataclass
class Single:
    number: int

    def perform(self) -> None: ...

    def __copy__(self) -> Any:
        raise TypeError("there is to be one of these only")


def test_any_stands_for_every_value(backburner: Harness) -> None:
    user = User(7, "Ann")
    user.delay.activate("code", notify=True)
    backburner.assert_enqueued(user.activate, ANY, notify=True)
    backburner.refute_enqueued(user.activate, ANY, notify=False)
    ShopMailer.delay.hello(user)
    User.table.clear()  # the record need not be read
    backburner.assert_enqueued(ShopMailer.hello, ANY)


def test_any_does_not_stand_for_what_is_not_there(backburner: Harness) -> None:
    add.delay(1)
    backburner.refute_enqueued(add, 1, factor=ANY)


def test_lambdas_and_local_functions_are_predicates(backburner: Harness) -> None:
    def is_seven(number: int) -> bool:
        return number == 7

    add.delay(7, factor=2)
    backburner.assert_enqueued(add, is_seven, factor=lambda factor: factor > 1)
    backburner.refute_enqueued(add, lambda number: number > 7)


def test_functions_that_a_job_can_name_are_values_unless_they_are_wrapped(backburner: Harness) -> None:
    delay(plain_function)(add)
    delay(plain_function)(4)
    backburner.assert_enqueued(plain_function, add, count=1)
    backburner.assert_enqueued(plain_function, matching(is_even), count=1)


def test_what_compares_itself_with_values(backburner: Harness) -> None:
    delay(plain_function)(0.1 + 0.2)
    backburner.assert_enqueued(plain_function, matching(pytest.approx(0.3)))
    backburner.refute_enqueued(plain_function, matching(pytest.approx(0.4)))


def test_predicates_are_given_the_value_and_not_how_it_is_written(backburner: Harness) -> None:
    moment = datetime(2026, 7, 1, tzinfo=UTC)
    delay(plain_function)({"at": moment, "user": User(7, "Ann")})
    backburner.assert_enqueued(plain_function, {"at": lambda at: at == moment, "user": lambda user: user.name == "Ann"})


def test_stand_ins_within_lists_tuples_and_dicts(backburner: Harness) -> None:
    user = User(7, "Ann")
    delay(plain_function)({"user": user, "lines": [(1, "tea"), (2, "milk")], "of": {1: "x"}})
    backburner.assert_enqueued(plain_function, {"user": User(7, "Anna"), "lines": [ANY, (2, ANY)], "of": {1: ANY}})
    backburner.refute_enqueued(plain_function, {"user": User(8, "Bob"), "lines": ANY, "of": ANY})
    backburner.refute_enqueued(plain_function, {"user": ANY, "lines": [ANY], "of": ANY})
    backburner.refute_enqueued(plain_function, {"user": ANY, "lines": ANY})


def test_stand_ins_within_job_objects(backburner: Harness) -> None:
    enqueue(HelloEmailJob(User(7, "Ann"), ["a"]))
    enqueue(Frozen(3, [1, 2]))
    enqueue(Slotted(4))
    backburner.assert_enqueued(HelloEmailJob(User(7, "Anna"), ANY))
    backburner.refute_enqueued(HelloEmailJob(User(8, "Bob"), ANY))
    backburner.assert_enqueued(Frozen(ANY, [1, ANY]))
    backburner.refute_enqueued(Frozen(ANY, [2, ANY]))
    expected = Slotted(lambda number: number == 4)
    backburner.assert_enqueued(expected)
    assert callable(expected.number)  # it was left as it was


def test_an_object_without_stand_ins_is_not_copied(backburner: Harness) -> None:
    enqueue(Single(3))
    backburner.assert_enqueued(Single(3))


def test_a_job_still_takes_no_lambda(backburner: Harness) -> None:
    with pytest.raises(NotImportable):
        delay(plain_function)(lambda: 1)


def test_options_by_predicate(backburner: Harness) -> None:
    add.options(queue="sums-eu", priority=5, tags=["a", "b"]).delay(1)
    backburner.assert_enqueued(add, queue=lambda queue: queue.startswith("sums"), priority=ANY)
    backburner.refute_enqueued(add, priority=is_even)
    backburner.assert_enqueued(add, tags=lambda tags: len(tags) == 2)


def test_tags_are_some_that_the_job_has(backburner: Harness) -> None:
    add.options(tags=["a", "b"]).delay(1)
    backburner.assert_enqueued(add, tags=["b"])
    backburner.assert_enqueued(add, tags=["b", "a"])
    backburner.refute_enqueued(add, tags=["a", "c"])
    assert failure(backburner, add, tags=["c"]).splitlines()[2:] == [
        "  add(1), queue 'default', priority 0, run_at NOW, tags 'a', 'b'",
        "    - tags: 'c'",
        "    + tags: 'a', 'b'",
    ]


def test_within(backburner: Harness) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    add.options(run_at=timedelta(minutes=5)).delay(1)
    add.options(run_at=tomorrow).delay(2)
    backburner.assert_enqueued(add, 1, run_at=within(timedelta(minutes=5)))
    backburner.refute_enqueued(add, 1, run_at=within(299))
    backburner.assert_enqueued(add, 1, run_at=within(60, of=timedelta(minutes=4, seconds=30)))
    backburner.refute_enqueued(add, 1, run_at=within(60, of=0))
    backburner.assert_enqueued(add, 2, run_at=within(60, of=tomorrow + timedelta(seconds=59)))
    backburner.refute_enqueued(add, 2, run_at=within(60, of=tomorrow + timedelta(seconds=61)))


def test_how_within_is_shown(backburner: Harness) -> None:
    add.options(run_at=timedelta(minutes=5)).delay(1)
    assert "- run_at: within 0:00:01 from its making\n" in failure(backburner, add, run_at=within(1))
    assert "- run_at: within 0:00:01 of 0:00:02 from its making\n" in failure(backburner, add, run_at=within(1, of=2))
    of = datetime(2026, 7, 1, tzinfo=UTC)
    assert "- run_at: within 0:00:01 of 2026-07-01 00:00:00+00:00\n" in failure(backburner, add, run_at=within(1, of))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: within(-1), r"^within: expected zero seconds or more, got -1$"),
        (lambda: within(1, of=datetime(2026, 7, 1)), r"^within: expected an aware datetime, got the naive "),
    ],
)
def test_within_of_nonsense(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()


def test_within_is_for_run_at(backburner: Harness) -> None:
    with pytest.raises(TypeError, match=r"^priority: expected a value or a predicate, got within 0:00:01"):
        backburner.assert_enqueued(add, priority=within(1))


def test_a_difference_is_shown_where_it_is(backburner: Harness) -> None:
    delay(plain_function)({"to": User(7, "Ann"), "lines": [(1, "tea"), (2, "milk")], "paid": True})
    expected = {"to": User(7, "Ann"), "lines": [(1, "tea"), (3, "milk")], "lang": "de"}
    assert failure(backburner, plain_function, expected).splitlines()[3:] == [
        "    - number['lines'][1][0]: 3",
        "    + number['lines'][1][0]: 2",
        "    - number['lang']: 'de'",
        "    + number['lang']: (none)",
        "    - number['paid']: (none)",
        "    + number['paid']: True",
    ]


def test_a_difference_within_an_object_is_shown_by_its_field(backburner: Harness) -> None:
    delay(plain_function)([Frozen(3, ["x"]), {1}])
    assert failure(backburner, plain_function, [Frozen(4, ["x"]), {2}]).splitlines()[3:] == [
        "    - number[0].number: 4",
        "    + number[0].number: 3",
        "    - number[1]: set [2]",
        "    + number[1]: set [1]",
    ]


def test_how_stand_ins_are_shown(backburner: Harness) -> None:
    add.delay(1, factor=3)
    said = failure(backburner, add, lambda number: number == 2, factor=matching(is_even))
    assert said.startswith("expected a job add(matching(<lambda> at test_matching.py:")
    assert "    - factor: matching(is_even at test_matching.py:" in said
    assert "    + factor: 3" in said
    assert "add(ANY, 4)" in failure(backburner, add, ANY, 4)


def test_a_predicate_that_raises_does_not_fit(backburner: Harness) -> None:
    delay(plain_function)("text")
    assert failure(backburner, plain_function, lambda value: value > 1).endswith(
        "+ number: 'text', on which it raised TypeError: '>' not supported between instances of 'str' and 'int'"
    )


def test_enqueued_gives_those_that_fit(backburner: Harness) -> None:
    jobs = [add.options(queue="sums").delay(1), add.delay(2), add.delay(3)]
    ShopMailer.delay.hello(User(7, "Ann"))
    assert backburner.enqueued(add) == jobs
    assert backburner.enqueued(add, lambda number: number > 1) == jobs[1:]
    assert backburner.enqueued(add, queue="sums") == jobs[:1]
    assert [job.name for job in backburner.enqueued()] == ["add", "add", "add", "ShopMailer.hello"]


def test_the_message_of_several(backburner: Harness) -> None:
    add.delay(1)
    assert failure(backburner, add, 1, queue="sums", count=2) == text("""
        expected 2 jobs add(1), queue 'sums'; found none among 1 job
        The nearest, with - what was expected and + what was enqueued:
          add(1), queue 'default', priority 0, run_at NOW
            - queue: 'sums'
            + queue: 'default'
    """)
