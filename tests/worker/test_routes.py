"""Which jobs go to the event loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from backburner import Backburner, Job
from backburner.worker.executors import routes as routes_module
from backburner.worker.executors.routes import Routes
from tests.worker.jobs import note, note_async
from tests.worker.test_async import Account, Awaiting


@pytest.fixture
def app() -> Iterator[Backburner]:
    with Backburner("memory://", allow=["tests"]) as app:
        yield app


@pytest.fixture
def routes(app: Backburner) -> Routes:
    return Routes(app.codec)


def with_handler(job: Job[Any], handler: str) -> Job[Any]:
    job.handler = handler
    return job


def test_async_code_is_known_once_it_was_found_out(app: Backburner, routes: Routes) -> None:
    job = app.delay(note_async)("x")
    assert (routes.lead_to_loop(job), routes.may_lead_to_loop(job)) == (False, True)
    assert routes.is_async(job)
    other = app.delay(note_async)("y")
    assert (routes.lead_to_loop(other), routes.may_lead_to_loop(other)) == (True, True)


def test_sync_code_is_not_asked_about_again(app: Backburner, routes: Routes) -> None:
    job = app.delay(note)("x")
    assert routes.may_lead_to_loop(job)
    assert not routes.is_async(job)
    assert (routes.lead_to_loop(job), routes.may_lead_to_loop(job)) == (False, False)


def test_job_objects_and_methods_count_by_what_is_performed(app: Backburner, routes: Routes) -> None:
    jobs = [app.enqueue(Awaiting()), app.delay(Account(1)).close()]
    assert [routes.is_async(job) for job in jobs] == [True, True]


def test_what_reads_records_never_leads_to_the_loop_at_once(app: Backburner, routes: Routes) -> None:
    job = app.delay(Account(1)).close()
    assert routes.is_async(job)
    assert (routes.lead_to_loop(job), routes.may_lead_to_loop(job)) == (False, True)


@pytest.mark.parametrize("code", ["tests.worker.jobs:not_there", "tests.not_there:job", "os:getcwd", "no name", ""])
def test_code_that_is_not_here_is_left_to_the_attempt_and_asked_about_again(
    app: Backburner, routes: Routes, code: str
) -> None:
    job = with_handler(app.delay(note)("x"), f'{{"v":1,"call":{{"function":"{code}"}}}}')
    assert not routes.is_async(job)
    assert not routes.lead_to_loop(job)


@pytest.mark.parametrize("handler", ["", "no JSON", "[]", '{"v":1,"call":{"on":{},"method":"x"}}', "null"])
def test_an_unreadable_handler_is_left_to_the_attempt(app: Backburner, routes: Routes, handler: str) -> None:
    job = with_handler(app.delay(note)("x"), handler)
    assert not routes.is_async(job)
    assert (routes.lead_to_loop(job), routes.may_lead_to_loop(job)) == (False, False)


def test_names_from_a_database_that_others_write_to_do_not_fill_the_memory(
    app: Backburner, routes: Routes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes_module, "MOST_KNOWN", 1)
    jobs = [app.delay(note_async)("x"), app.enqueue(Awaiting())]
    assert [routes.is_async(job) for job in jobs] == [True, True]
    assert [routes.lead_to_loop(job) for job in jobs] == [False, True]


@pytest.mark.parametrize("handler", ['{"v":1,"call":{"on":{},"method":"x"}}', "no JSON", "{}"])
def test_a_worker_with_several_seats_survives_a_broken_handler(app: Backburner, handler: str) -> None:
    broken = app.delay(note)("x")
    app.store._tables.live[broken.id].handler = handler  # type: ignore[attr-defined]  # it is the memory store
    app.delay(note, priority=1)("after it")
    assert app.worker(concurrency=2).work_off() == (1, 1)
    assert (app.jobs.get(broken.id).last_error or "").startswith("DeserializationError")
