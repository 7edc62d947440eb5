"""`examples/work/api.py`, with a real API that fails, limits the rate, and is not heard to the end."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from backburner import Job, State
from examples.work.api import charge
from examples.work.database import database
from tests.examples.web import Handler, serving
from tests.examples.work import Work, kill_worker
from tests.worker.supervision.support import SOON

CHARGED = [("ch_1",)]


@dataclass
class Api:
    """Charges each key once, as such APIs do, unless it is in a mood."""

    moods: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """What it answers to the next requests: a status and headers."""
    keys: list[str] = field(default_factory=list)
    """The idempotency keys of all requests."""
    charges: dict[str, dict[str, int]] = field(default_factory=dict)
    answers: threading.Event = field(default_factory=threading.Event)
    has_charged: threading.Event = field(default_factory=threading.Event)

    def charge(self, key: str, body: dict[str, int]) -> bytes:
        self.charges.setdefault(key, body)
        self.has_charged.set()
        assert self.answers.wait(SOON)
        return json.dumps({"id": f"ch_{list(self.charges).index(key) + 1}"}).encode()


@pytest.fixture
def api(work: Work, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    api = Api()
    api.answers.set()

    class Charges(Handler):
        def do_POST(self) -> None:  # noqa: N802  # http.server looks for this name
            assert self.path == "/charges"
            body = json.loads(self.body())
            api.keys.append(self.headers["Idempotency-Key"])
            if api.moods:
                status, headers = api.moods.pop(0)
                self.answer(status, **headers)
            else:
                self.answer(201, api.charge(api.keys[-1], body))

    with database() as db:
        db.execute("INSERT INTO orders (id, cents) VALUES (7, 1250)")
    with serving(Charges) as url:
        monkeypatch.setenv("WORK_API", url)
        yield api


def charges(work: Work) -> list[tuple[str]]:
    return work.rows("SELECT charge FROM orders WHERE id = 7")


def wait_before(job: Job) -> timedelta:
    """Return how long the failed job is to wait."""
    return job.run_at - datetime.now(UTC)


def test_an_order_is_charged_once_by_however_many_jobs(work: Work, api: Api) -> None:
    jobs = [charge.delay(7), charge.delay(7)]
    with work.worker():
        assert [work.ended(job).state for job in jobs] == [State.SUCCEEDED] * 2
    assert api.charges == {str(jobs[0].id): {"order": 7, "cents": 1250}}
    assert charges(work) == CHARGED


def test_it_comes_back_when_the_api_says(work: Work, api: Api) -> None:
    api.moods = [(429, {"Retry_After": "1"})]
    job = charge.delay(7)
    with work.worker():
        done = work.ended(job)
    assert (done.state, api.keys) == (State.SUCCEEDED, [str(job.id)] * 2)
    assert done.finished_at is not None
    assert done.finished_at - job.created_at >= timedelta(seconds=1)


def test_the_api_may_say_it_as_a_date_and_when_it_is_down(work: Work, api: Api) -> None:
    then = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    api.moods = [(503, {"Retry_After": format_datetime(then, usegmt=True)})]
    job = charge.delay(7)
    with work.worker():
        failed = work.try_again_now(job)
        assert work.ended(job).state is State.SUCCEEDED
    assert failed.run_at == then
    assert charges(work) == CHARGED


def test_an_error_of_the_api_is_tried_again_with_the_same_key(work: Work, api: Api) -> None:
    api.moods = [(500, {})]
    job = charge.delay(7)
    with work.worker():
        failed = work.try_again_now(job)
        assert work.ended(job).state is State.SUCCEEDED
    assert "HTTP Error 500" in str(failed.last_error)
    assert timedelta(seconds=0) < wait_before(failed) < timedelta(seconds=6)
    assert api.keys == [str(job.id)] * 2


def test_a_refusal_is_not_tried_again(work: Work, api: Api) -> None:
    api.moods = [(402, {})]
    job = charge.delay(7)
    with work.worker():
        failed = work.ended(job)
    assert (failed.state, failed.attempts, len(api.keys)) == (State.FAILED, 1, 1)
    assert "the API refuses it: 402 Payment Required" in str(failed.last_error)


def test_an_order_that_is_gone_is_not_charged(work: Work, api: Api) -> None:
    job = charge.delay(8)
    with work.worker():
        assert work.ended(job).state is State.CANCELLED
    assert api.keys == []


def test_a_worker_that_is_killed_before_it_hears_the_answer_charges_nobody_twice(work: Work, api: Api) -> None:
    api.answers.clear()
    job = charge.delay(7)
    with work.worker() as supervisor:
        assert api.has_charged.wait(SOON)
        kill_worker(supervisor)
        api.answers.set()
        done = work.ended(job)
    assert (done.state, done.crashes) == (State.SUCCEEDED, 1)
    assert (api.keys, len(api.charges)) == ([str(job.id)] * 2, 1)
    assert charges(work) == CHARGED
