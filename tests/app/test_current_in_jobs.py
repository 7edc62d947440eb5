"""Inside a job, the current app is the one whose worker performs it."""

from __future__ import annotations

import pytest

from backburner import Backburner, Delayable, current, job
from backburner.app import use
from backburner.authoring.apps import current_app

seen: list[Backburner] = []


@job
def look() -> None:
    seen.append(current())
    look_again.delay()


@job
def look_again() -> None:
    seen.append(current())


class Reader(Delayable):
    """A class whose `.delay` is read."""

    def go(self) -> None:
        """Do nothing."""


def test_a_job_enqueues_with_the_app_that_performs_it() -> None:
    seen.clear()
    with Backburner("memory://") as one, Backburner("memory://") as other, use(other):
        one.delay(look)()
        assert one.worker().work_off() == (2, 0)
        assert seen == [one, one]
        assert other.jobs.count(state="queued") == 0
        assert current() is other


def test_an_inline_job_enqueues_with_the_app_that_performs_it() -> None:
    seen.clear()
    with Backburner("memory://", delay_jobs=False) as one, Backburner("memory://") as other, use(other):
        one.delay(look)()
    assert seen == [one, one]


def test_reading_delay_asks_for_no_app(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Backburner:
        raise AssertionError("an app was asked for")

    monkeypatch.setattr(current_app, "get", refuse)
    receivers = (Reader(), Reader)
    assert all(receiver.delay is not None and receiver.adelay is not None for receiver in receivers)
    with pytest.raises(AssertionError, match="an app was asked for"):
        Reader().delay.go()
