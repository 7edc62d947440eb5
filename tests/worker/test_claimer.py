"""Claiming and settling when requests and replies are lost, and when the worker is taken for dead."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backburner import Backburner, Job, JobInterrupted, State, StoreUnavailable
from backburner.core.lifecycle import Move
from backburner.core.ports import ClaimRequest, Settlement, WorkerInfo, worker_of
from backburner.core.telemetry import LeasesLost, StoreRecovered, StoreTroubled, recorded
from backburner.worker import claimer as claimer_module
from backburner.worker.claimer import Claimer
from tests.worker.faulty import Faulty
from tests.worker.jobs import note, trace

SOON = 30.0
SILENCE = timedelta(seconds=30)


@pytest.fixture
def faulty(app: Backburner, monkeypatch: pytest.MonkeyPatch) -> Faulty:
    app.jobs.count()  # makes the tables
    return Faulty(app.store, monkeypatch)


@pytest.fixture
def claimer(app: Backburner) -> Claimer:
    return new_claimer(app)


def new_claimer(app: Backburner, name: str = "ann") -> Claimer:
    info = WorkerInfo(name, "host", 1, None, 1)
    return Claimer(app.store, info, ClaimRequest(lease=0, worker_name="", limit=0), app.telemetry, lambda: None)


def add(app: Backburner, number: int) -> list[Job[Any]]:
    with app.bulk():
        return [app.delay(note)(str(index)) for index in range(number)]


def finish_all(claimer: Claimer) -> list[Job[Any]]:
    """Settle all that waits as done."""
    jobs = []
    while claimer.waiting:
        jobs.append(claimer.waiting.popleft())
        claimer.settle(Settlement(jobs[-1].id, jobs[-1].lease or 0, Move.FINISH))
    return jobs


def ids(jobs: Any) -> list[Any]:
    return [job.id for job in jobs]


@contextmanager
def nothing_is_lost(app: Backburner) -> Iterator[None]:
    """See that within the block no settlement is said to have come too late."""
    with recorded(app.telemetry) as records:
        yield
    assert [record for record in records if isinstance(record, LeasesLost)] == []


def test_a_claim_whose_reply_was_lost_is_taken_in_by_the_next(
    app: Backburner, claimer: Claimer, faulty: Faulty
) -> None:
    jobs = add(app, 5)
    faulty.lose_reply("claim")
    with pytest.raises(StoreUnavailable):
        claimer.claim(3)
    assert claimer.keeps_others_waiting
    assert claimer.claim(3) == 3
    assert ids(claimer.waiting) == ids(jobs[:3])
    assert app.jobs.count(state="running") == 3
    assert claimer.claim(3) == 2
    assert ids(claimer.waiting) == ids(jobs)
    assert {worker_of(job.lease or 0) for job in claimer.waiting} == {claimer.number}


def test_the_reply_may_be_lost_again_and_again(app: Backburner, claimer: Claimer, faulty: Faulty) -> None:
    jobs = add(app, 3)
    faulty.lose_reply("claim", 3)
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            claimer.claim(2)
    assert claimer.claim(2) == 2
    assert ids(claimer.waiting) == ids(jobs[:2])
    assert app.jobs.count(state="running") == 2


def test_settlements_that_were_applied_though_the_reply_was_lost_are_not_said_to_be_late(
    app: Backburner, claimer: Claimer, faulty: Faulty
) -> None:
    add(app, 4)
    claimer.claim(2)
    done = finish_all(claimer)
    faulty.lose_reply("claim")
    with nothing_is_lost(app):
        with pytest.raises(StoreUnavailable):
            claimer.claim(2)
        assert claimer.claim(2) == 2
        done += finish_all(claimer)
        faulty.lose_reply("settle")
        with pytest.raises(StoreUnavailable):
            claimer.flush()
        assert claimer.has_unsettled
        claimer.flush()
        assert not claimer.has_unsettled
    assert [app.jobs.get(job.id).state for job in done] == [State.SUCCEEDED] * 4


def test_settlements_that_never_arrived_are_sent_again(app: Backburner, claimer: Claimer, faulty: Faulty) -> None:
    add(app, 2)
    claimer.claim(2)
    done = finish_all(claimer)
    faulty.lose_request("claim")
    with nothing_is_lost(app):
        with pytest.raises(StoreUnavailable):
            claimer.claim(2)
        assert claimer.claim(2) == 0
    assert [app.jobs.get(job.id).state for job in done] == [State.SUCCEEDED] * 2


def test_what_is_really_late_is_told(app: Backburner, claimer: Claimer, faulty: Faulty) -> None:
    (job,) = add(app, 1)
    claimer.claim(1)
    app.store.run(app.store.retire(claimer.number or 0))
    finish_all(claimer)
    with recorded(app.telemetry) as records:
        claimer.flush()
    assert [record.job_ids for record in records if isinstance(record, LeasesLost)] == [(job.id,)]


def test_a_claim_that_was_begun_and_whose_reply_was_lost_is_taken_in(
    app: Backburner, claimer: Claimer, faulty: Faulty
) -> None:
    jobs = add(app, 4)
    claimer.claim(2)
    done = finish_all(claimer)
    with nothing_is_lost(app):
        claimer.begin(2)
        faulty.lose_reply("claim")
        with pytest.raises(StoreUnavailable):
            claimer.claim(2)
        assert claimer.claim(2) == 2
    assert ids(claimer.waiting) == ids(jobs[2:])
    assert [app.jobs.get(job.id).state for job in done] == [State.SUCCEEDED] * 2


def test_a_claim_that_was_begun_is_given_back_with_the_rest(app: Backburner, claimer: Claimer) -> None:
    jobs = add(app, 3)
    claimer.claim(1)
    claimer.begin(2)
    claimer.give_back()
    assert not claimer.keeps_others_waiting
    assert [app.jobs.get(job.id).state for job in jobs] == [State.QUEUED] * 3


@pytest.mark.parametrize("lost", ["reply", "request"])
def test_a_worker_that_ends_gives_back_what_a_claim_took_that_failed(
    app: Backburner, claimer: Claimer, faulty: Faulty, lost: str
) -> None:
    jobs = add(app, 3)
    getattr(faulty, f"lose_{lost}")("claim")
    with pytest.raises(StoreUnavailable):
        claimer.claim(3)
    claimer.retire()
    assert [(job.state, job.crashes) for job in map(app.jobs.get, ids(jobs))] == [(State.QUEUED, 0)] * 3
    assert app.store.run(app.store.workers()) == []


def test_a_claim_that_arrives_late_is_given_back(
    app: Backburner, claimer: Claimer, faulty: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claimer_module, "LATE", 0.0)
    late = add(app, 2)
    faulty.lose_request("claim")
    with pytest.raises(StoreUnavailable):
        claimer.claim(2)
    app.queues.pause("default")
    assert claimer.claim(2) == 0
    app.queues.resume("default")
    faulty.deliver()
    assert app.jobs.count(state="running") == 2
    claimer.check_in(SILENCE, beats=True)
    assert [app.jobs.get(job.id).state for job in late] == [State.QUEUED] * 2
    asked = faulty.counts["claim"]
    claimer.check_in(SILENCE, beats=True)
    assert faulty.counts["claim"] == asked, "it was asked once and for all"
    assert claimer.claim(5) == 2


def test_what_waits_is_kept_when_nothing_has_arrived_late(
    app: Backburner, claimer: Claimer, faulty: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claimer_module, "LATE", 0.0)
    jobs = add(app, 2)
    faulty.lose_request("claim")
    with pytest.raises(StoreUnavailable):
        claimer.claim(2)
    assert claimer.claim(2) == 2
    claimer.check_in(SILENCE, beats=True)
    assert ids(claimer.waiting) == ids(jobs)


def test_a_late_claim_is_not_asked_for_before_it_may_have_arrived(
    app: Backburner, claimer: Claimer, faulty: Faulty
) -> None:
    faulty.lose_request("claim")
    with pytest.raises(StoreUnavailable):
        claimer.claim(2)
    claimer.claim(2)
    asked = faulty.counts["claim"]
    claimer.check_in(SILENCE, beats=True)
    assert faulty.counts["claim"] == asked


def test_what_is_given_back_is_told_and_looked_for_again(app: Backburner, claimer: Claimer) -> None:
    add(app, 2)
    claimer.claim(5)
    assert not claimer.is_promising
    watch = app.store.watch()
    claimer.give_back()
    assert watch.wait(SOON)
    watch.close()
    assert claimer.is_promising
    assert claimer.claim(5) == 2


def test_to_give_back_nothing_wakes_nobody(app: Backburner, claimer: Claimer) -> None:
    claimer.claim(1)
    watch = app.store.watch()
    claimer.give_back()
    assert not watch.wait(0)
    watch.close()
    assert not claimer.is_promising


@pytest.mark.parametrize("end", ["retired", "rescued"])
def test_a_worker_that_was_taken_for_dead_lets_go_and_registers_anew(
    app: Backburner, claimer: Claimer, end: str
) -> None:
    jobs = add(app, 3)
    claimer.claim(2)
    first = claimer.number
    if end == "retired":
        app.store.run(app.store.retire(first or 0))
    else:
        app.store.run(app.store.rescue(-1))
    claimer.check_in(SILENCE, beats=True)
    assert (claimer.number, list(claimer.waiting)) == (None, [])
    for _ in jobs:
        claimer.claim(3)
    assert sorted(ids(claimer.waiting)) == sorted(ids(jobs))
    assert {worker_of(job.lease or 0) for job in claimer.waiting} == {claimer.number}
    assert claimer.number != first


def test_who_does_not_beat_does_not_ask_whether_it_is_known(app: Backburner, claimer: Claimer) -> None:
    add(app, 2)
    claimer.claim(2)
    app.store.run(app.store.retire(claimer.number or 0))
    claimer.check_in(SILENCE, beats=False)
    assert len(claimer.waiting) == 2


def test_a_worker_hears_of_jobs_that_nobody_told_of(app: Backburner, claimer: Claimer) -> None:
    now = datetime.now(UTC)
    app.delay(note, run_at=now + timedelta(hours=2))("known")
    assert claimer.claim(1) == 0
    assert claimer.check_in(SILENCE, beats=True) == (False, False)
    app.delay(note, run_at=now + timedelta(hours=1))("sooner")
    assert claimer.check_in(SILENCE, beats=True) == (False, True)
    assert claimer.next_due is not None
    assert abs(claimer.next_due - now - timedelta(hours=1)) < timedelta(seconds=1)
    assert claimer.claim(1) == 0
    assert claimer.check_in(SILENCE, beats=True) == (False, False)
    app.delay(note)("now")
    assert claimer.check_in(SILENCE, beats=False) == (False, True)
    assert claimer.is_promising
    assert claimer.claim(1) == 1


def test_a_worker_hears_of_those_who_need_a_rescue(app: Backburner, claimer: Claimer) -> None:
    other = new_claimer(app, "bob")
    add(app, 1)
    other.claim(1)
    claimer.claim(1)
    assert claimer.check_in(SILENCE, beats=True)[0] is False
    assert claimer.check_in(timedelta(seconds=-1), beats=True)[0] is True


# As a whole


@pytest.mark.parametrize("concurrency", [1, 4])
def test_whatever_replies_are_lost_each_job_is_performed_once(
    app: Backburner, faulty: Faulty, concurrency: int
) -> None:
    for _ in range(30):
        faulty.let_pass("claim", 1)
        faulty.lose_reply("claim", 2)
        faulty.lose_request("claim", 1)
        faulty.lose_reply("settle", 1)
        faulty.let_pass("settle", 1)
    jobs = add(app, 60)
    worker = app.worker(concurrency=concurrency, sleep_delay=0.05)
    thread = threading.Thread(target=worker.run)
    with nothing_is_lost(app), fast_recovery():
        thread.start()
        wait_until_done(app, jobs)
        worker.stop()
        thread.join(SOON)
    assert sorted(trace, key=int) == [str(number) for number in range(60)]
    assert app.jobs.count() == 0


@contextmanager
def fast_recovery() -> Iterator[None]:
    """Let workers try again at once when the store has failed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backburner.worker.trouble.FIRST_WAIT", 0.001)
        patch.setattr("backburner.worker.trouble.LONGEST_WAIT", 0.001)
        yield


def wait_until_done(app: Backburner, jobs: list[Job[Any]]) -> None:
    deadline = time.monotonic() + SOON
    while app.jobs.count(state="succeeded") < len(jobs):
        assert time.monotonic() < deadline, [(job.name, job.state, job.lease) for job in app.jobs.where()]
        threading.Event().wait(0.01)


def test_work_off_that_loses_a_reply_gives_back_what_was_claimed(app: Backburner, faulty: Faulty) -> None:
    jobs = add(app, 3)
    faulty.lose_reply("claim")
    with pytest.raises(StoreUnavailable):
        app.worker(concurrency=3).work_off()
    assert [app.jobs.get(job.id).state for job in jobs] == [State.QUEUED] * 3
    assert app.worker().work_off() == (3, 0)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_what_still_runs_when_work_off_fails_is_interrupted_and_given_back(
    app: Backburner, faulty: Faulty, kind: str
) -> None:
    apps[:] = [app]
    running = app.delay(enqueue_and_spin if kind == "sync" else enqueue_and_hang)()
    faulty.let_pass("claim")
    faulty.lose_request("claim")
    with pytest.raises(StoreUnavailable):
        app.worker(concurrency=2).work_off()
    assert trace == ["interrupted"]
    found = app.jobs.get(running.id)
    assert (found.state, found.attempts) == (State.QUEUED, 0)


apps: list[Backburner] = []


def enqueue_and_spin() -> None:
    apps[0].delay(note)("is asked for, in vain")
    try:
        while True:
            threading.Event().wait(0.01)
    except JobInterrupted:
        trace.append("interrupted")
        raise


async def enqueue_and_hang() -> None:
    apps[0].delay(note)("is asked for, in vain")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        trace.append("interrupted")
        raise


def test_a_store_that_fails_while_the_worker_stops_does_not_cost_the_jobs_that_run_their_grace(
    app: Backburner, faulty: Faulty
) -> None:
    """The job goes on until the store has failed for the third time, and is settled when it answers again."""
    worker = app.worker(concurrency=2, grace=SOON)
    app.after("perform")(lambda worker, job: worker.stop() if job.priority else None)
    with app.bulk():
        slow = app.delay(wait_for_troubles)()
        app.delay(note, priority=1)("stops the worker")
    faulty.lose_request("settle", 3)
    watched[:] = [faulty]
    with recorded(app.telemetry) as records, fast_recovery():
        worker.run()
    assert app.jobs.get(slow.id).state is State.SUCCEEDED
    assert app.jobs.count() == 0
    kinds = [type(record) for record in records if isinstance(record, StoreTroubled | StoreRecovered)]
    assert kinds == [StoreTroubled, StoreRecovered]


watched: list[Faulty] = []


def wait_for_troubles() -> None:
    deadline = time.monotonic() + SOON
    while watched[0].counts["settle"] < 3:
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)
