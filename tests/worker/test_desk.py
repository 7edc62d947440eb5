"""Seats: who gets which job, and when the worker's own thread is called."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from backburner import Backburner
from backburner.core.lifecycle import Move
from backburner.core.ports import ClaimRequest, Settlement, WorkerInfo
from backburner.worker.claimer import Claimer
from backburner.worker.executors.desk import Desk
from backburner.worker.outcome import Count, Outcome
from tests.worker.jobs import note


@dataclass
class Office:
    """A desk with two seats, and the claimer whose jobs it gives out."""

    app: Backburner
    calls: list[str] = field(default_factory=list)
    is_stopping: bool = False

    def __post_init__(self) -> None:
        info = WorkerInfo("ann", "host", 1, None, 2)
        request = ClaimRequest(lease=0, worker_name="", limit=0)
        self.claimer = Claimer(self.app.store, info, request, self.app.telemetry, lambda: None)
        self.desk = Desk(2, self.claimer, lambda: self.is_stopping, lambda: self.calls.append("called"))

    def claim(self, number: int) -> None:
        """Let so many jobs wait."""
        with self.app.bulk():
            for _ in range(number):
                self.app.delay(note)("x")
        assert self.claimer.claim(number) == number


@pytest.fixture
def office() -> Iterator[Office]:
    with Backburner("memory://", allow=["tests"]) as app:
        yield Office(app)


def done(job: Any) -> Outcome:
    return Outcome(job, Settlement(job.id, job.lease, Move.FINISH), Count.SUCCESS)


def test_there_are_no_more_jobs_than_seats(office: Office) -> None:
    office.claim(3)
    waiting = list(office.claimer.waiting)
    assert [office.desk.take() for _ in range(3)] == [*waiting[:2], None]
    assert (office.desk.busy, office.desk.has_free_seats) == (2, False)


def test_an_empty_desk_gives_nothing_and_takes_no_seat(office: Office) -> None:
    began = office.desk.last_start
    assert office.desk.take() is None
    assert (office.desk.busy, office.desk.has_free_seats) == (0, True)
    assert office.desk.last_start == began, "nothing was started"


def test_who_ends_a_job_gets_the_next_one_for_its_seat(office: Office) -> None:
    office.claim(3)
    first, second, third = office.claimer.waiting
    office.desk.take()
    office.desk.take()
    assert office.desk.end(done(first), 0.5) is third
    assert office.desk.busy == 2
    assert office.desk.end(done(second), 0.25) is None
    assert office.desk.busy == 1
    assert office.claimer.has_unsettled
    assert [(outcome.job, took) for outcome, took in office.desk.collect()] == [(first, 0.5), (second, 0.25)]
    assert office.desk.collect() == []


def test_the_worker_is_called_when_few_jobs_wait_and_once_until_it_has_looked(office: Office) -> None:
    office.claim(6)
    office.desk.few = 2
    job = office.desk.take()
    calls = []
    while job is not None:
        job = office.desk.end(done(job), 0.0)
        calls.append(len(office.calls))
    assert calls == [0, 0, 1, 1, 1, 1]
    office.claim(1)
    office.desk.collect()
    office.desk.end(done(office.desk.take()), 0.0)
    assert len(office.calls) == 2


@pytest.mark.parametrize("end", ["stopping", "closed"])
def test_nothing_is_given_out_any_more(office: Office, end: str) -> None:
    office.claim(3)
    first = office.desk.take()
    if end == "stopping":
        office.is_stopping = True
    else:
        office.desk.close()
    assert office.desk.take() is None
    assert office.desk.end(done(first), 0.0) is None
    assert (office.desk.busy, len(office.claimer.waiting), office.calls) == (0, 2, ["called"])


def test_what_should_not_happen_is_raised_where_the_worker_looks(office: Office) -> None:
    office.desk.fail(ZeroDivisionError("no"))
    assert office.calls == ["called"]
    with pytest.raises(ZeroDivisionError, match="no"):
        office.desk.collect()


def test_no_job_is_given_out_twice_and_no_seat_is_lost_among_many_threads(office: Office) -> None:
    office.claim(200)
    ended: list[Any] = []

    def sit() -> None:
        job = office.desk.take()
        while job is not None:
            ended.append(job.id)
            job = office.desk.end(done(job), 0.0)

    threads = [threading.Thread(target=sit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sit()  # those that found no seat have not come back
    assert len(ended) == len(set(ended)) == 200
    assert office.desk.busy == 0
    assert len(office.desk.collect()) == 200
