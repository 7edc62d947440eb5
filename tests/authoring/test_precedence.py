"""Which of several answers wins: call → payload → decorator → `queue_attributes` → app."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backburner import Backburner, JobHooks
from tests.authoring import shop

SETTINGS = {
    "default_priority": 1,
    "max_attempts": 10,
    "keep_failed": False,
    "max_run_time": 600,
    "queue_attributes": {"busy": {"priority": 2, "max_attempts": 20, "keep_failed": True, "max_run_time": 60}},
}


class Payload(JobHooks):
    """Says everything itself."""

    queue, priority, max_attempts, keep_failed, max_run_time = "busy", 3, 30, False, 30

    def perform(self) -> None:
        pass

    def method(self) -> None:
        pass


class Silent(JobHooks):
    """Says nothing itself."""

    def perform(self) -> None:
        pass


@pytest.fixture
def app():
    with Backburner("memory://", allow=[__name__, "tests.authoring.shop"], **SETTINGS) as app:
        yield app


def options_of(job):
    return (job.queue, job.priority, job.max_attempts, job.keep_failed, job.max_run_time)


CALL = {"queue": "busy", "priority": 4, "max_attempts": 40, "keep_failed": True, "max_run_time": 40}

TABLE = {
    "app": (lambda app: app.enqueue(Silent()), ("default", 1, 10, False, 600)),
    "queue_attributes": (lambda app: app.enqueue(Silent(), queue="busy"), ("busy", 2, 20, True, 60)),
    "decorator": (lambda app: app.delay(decorated_of(app))(1), ("busy", 5, 50, True, 50)),
    "decorator and call": (lambda app: decorated_of(app).options(**CALL).delay(1), ("busy", 4, 40, True, 40)),
    "payload": (lambda app: app.enqueue(Payload()), ("busy", 3, 30, False, 30)),
    "payload of a delayed method": (lambda app: app.delay(Payload()).method(), ("busy", 3, 30, False, 30)),
    "payload over decorator": (lambda app: app.delay(Payload()).background(1), ("busy", 3, 30, False, 30)),
    "call over payload": (lambda app: app.enqueue(Payload(), **CALL), ("busy", 4, 40, True, 40)),
    "call over decorator": (lambda app: app.delay(Payload(), **CALL).background(1), ("busy", 4, 40, True, 40)),
    "zero wins": (lambda app: app.enqueue(Payload(), priority=0), ("busy", 0, 30, False, 30)),
}

DECORATED = {"queue": "busy", "priority": 5, "max_attempts": 50, "keep_failed": True, "max_run_time": 50}


def function(number: int) -> None:
    pass


def decorated_of(app):
    made = app.job(**DECORATED)(function.__wrapped__ if hasattr(function, "__wrapped__") else function)
    globals()["function"] = made
    return made


@pytest.mark.parametrize("row", TABLE)
def test_the_first_that_says_it_wins(app, row, monkeypatch):
    monkeypatch.setattr(Payload, "background", app.handle_asynchronously(background, **DECORATED), raising=False)
    enqueue, (queue, priority, max_attempts, keep_failed, seconds) = TABLE[row]
    job = enqueue(app)
    assert options_of(job) == (queue, priority, max_attempts, keep_failed, timedelta(seconds=seconds))
    assert options_of(app.jobs.get(job.id)) == options_of(job)


def background(self, number: int) -> None:
    pass


def test_settings_of_a_model_count_only_with_hooks():
    with Backburner("memory://") as app:
        assert app.delay(shop.Order(1, "Ann")).activate("x").queue == "orders"
        assert app.delay(shop.Order).import_all("x").queue == "orders"
        assert app.delay(shop.Accident(2, "Ann")).activate("x").queue == "default"
