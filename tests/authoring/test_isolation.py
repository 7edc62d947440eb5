"""The option `isolation`, at each place where it may stand."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from backburner import Backburner, InvalidOption, JobHooks, delay, enqueue, job, jobs
from tests.authoring import shop


@dataclass
class Heavy(JobHooks):
    """Has a process of its own."""

    isolation = "process"

    def perform(self) -> None:
        pass

    def method(self) -> None:
        pass


@job(isolation="process")
def resize(number: int) -> None:
    """Has a process of its own."""


def test_it_is_said_where_other_options_are(app: Backburner) -> None:
    assert delay(shop.send_welcome, isolation="process")(1).isolation == "process"
    assert shop.send_welcome.options(isolation="process").delay(1).isolation == "process"
    assert resize.delay(1).isolation == "process"
    assert enqueue(Heavy()).isolation == "process"
    assert delay(Heavy()).method().isolation == "process"
    assert shop.send_welcome.delay(1).isolation is None


def test_the_call_wins(app: Backburner) -> None:
    assert resize.options(isolation="none").delay(1).isolation == "none"
    assert enqueue(Heavy(), isolation="none").isolation == "none"
    assert resize.options(isolation=None).delay(1).isolation == "process"


def test_a_queue_may_say_it() -> None:
    with Backburner("memory://", allow=["tests"], queue_attributes={"images": {"isolation": "process"}}) as app:
        assert app.delay(shop.send_welcome, queue="images")(1).isolation == "process"
        assert app.delay(shop.send_welcome)(1).isolation is None


def test_it_is_stored_with_the_job(app: Backburner) -> None:
    assert jobs.get(resize.delay(1).id).isolation == "process"
    assert jobs.get(resize.delay(1).id).payload.args == (1,)


@pytest.mark.parametrize("value", ["thread", "", True, 1])
def test_nothing_else_is_known(app: Backburner, value: object) -> None:
    with pytest.raises(InvalidOption, match="isolation: expected 'process' or 'none', got "):
        delay(shop.send_welcome, isolation=value)


def test_it_may_be_changed_before_the_job_is_stored(app: Backburner) -> None:
    def change(draft):
        draft.isolation = "process" if draft.isolation is None else "none"

    app.before("enqueue")(change)
    assert jobs.get(shop.send_welcome.delay(1).id).isolation == "process"
    assert jobs.get(resize.delay(1).id).isolation == "none"


def test_what_it_is_changed_to_is_checked(app: Backburner) -> None:
    def change(draft):
        draft.isolation = "thread"

    app.before("enqueue")(change)
    with pytest.raises(InvalidOption, match="isolation: expected 'process' or 'none', got 'thread'"):
        shop.send_welcome.delay(1)


def test_the_payload_may_not_be_changed_along_with_it(app: Backburner) -> None:
    def change(draft):
        draft.isolation = "process"
        draft.handler = draft.handler.replace("[1]", "[2]")

    app.before("enqueue")(change)
    with pytest.raises(InvalidOption, match="handler: only options may be changed"):
        shop.send_welcome.delay(1)
