"""Who gets which job, and in which order."""

# ruff: noqa: S101 # tests are made of assert
from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from backburner.core.errors import InvalidState, JobNotFound
from backburner.core.job import Job
from backburner.core.lifecycle import Move, State
from backburner.testing.contract.driving import Contract, Driven, ended, new_id, new_job


class ClaimContract(Contract):
    """`claim` and `claim_one`."""

    def test_a_claimed_job_is_running_under_the_lease(self, driven: Driven) -> None:
        job, worker = driven.add(), driven.worker()
        request = worker.request()
        driven.clock.advance(1)
        (claimed,) = driven.claim(request).jobs
        assert (claimed.id, claimed.state, claimed.lease) == (job.id, State.RUNNING, request.lease)
        assert (claimed.locked_by, claimed.locked_at) == (worker.name, driven.clock.now)
        assert driven.reread(job) == claimed

    def test_a_job_is_claimed_once(self, driven: Driven) -> None:
        job = driven.add()
        assert driven.worker().claimed_ids() == [job.id]
        assert driven.worker().claimed_ids() == []

    def test_a_repeated_claim_gives_what_the_first_one_took(self, driven: Driven) -> None:
        later, sooner = driven.add(priority=2), driven.add(priority=1)
        worker = driven.worker()
        request = worker.request(limit=2)
        driven.claim(request)
        driven.add()
        repeated = driven.claim(replace(request, repeats=True))
        assert [job.id for job in repeated.jobs] == [sooner.id, later.id]
        assert {job.lease for job in repeated.jobs} == {request.lease}

    def test_a_repeated_claim_that_had_not_taken_anything_takes_now(self, driven: Driven) -> None:
        job = driven.add()
        assert driven.worker().claimed_ids(repeats=True) == [job.id]

    def test_a_repeated_claim_settles_what_was_not_settled(self, driven: Driven) -> None:
        done = driven.add_running()
        driven.add()
        request = driven.worker().request()
        driven.claim(request)
        assert driven.claim(replace(request, repeats=True), [ended(done, Move.FINISH)]).jobs
        assert driven.reread(done).state is State.SUCCEEDED

    def test_an_empty_store_gives_nothing(self, driven: Driven) -> None:
        assert driven.worker().claim() == ([], [], None)

    def test_no_more_jobs_come_than_were_asked_for(self, driven: Driven) -> None:
        ids = [driven.add().id for _ in range(5)]
        worker = driven.worker()
        assert [worker.claimed_ids(2), worker.claimed_ids(2), worker.claimed_ids(2)] == [ids[:2], ids[2:4], ids[4:]]

    def test_a_job_is_not_claimed_before_its_time(self, driven: Driven) -> None:
        job = driven.add(run_at=driven.clock.now + timedelta(microseconds=1))
        assert driven.worker().claimed_ids() == []
        driven.clock.advance(0.000001)
        assert driven.worker().claimed_ids() == [job.id]

    def test_lower_priorities_come_first_then_earlier_times_then_smaller_ids(self, driven: Driven) -> None:
        now = driven.clock.now
        places = [(p, now - timedelta(seconds=s)) for p in (-5, 0, 3) for s in (9, 2, 1) for _ in range(2)]
        jobs = [new_job(now, priority=priority, run_at=run_at) for priority, run_at in places]
        driven.enqueue(sorted(jobs, key=lambda job: str(job.id)[::-1]))
        assert driven.worker().claimed_ids() == ids_of(in_order(jobs))

    def test_queues_are_merged_into_one_order(self, driven: Driven) -> None:
        now = driven.clock.now
        jobs = [
            new_job(now, queue=f"queue{number % 3}", priority=number % 2, run_at=now - timedelta(seconds=number % 7))
            for number in range(60)
        ]
        driven.enqueue(jobs)
        worker, expected = driven.worker(), ids_of(in_order(jobs))
        assert [worker.claimed_ids(7) for _ in range(9)] == [expected[start : start + 7] for start in range(0, 63, 7)]

    def test_a_later_job_of_a_better_priority_waits_for_its_time(self, driven: Driven) -> None:
        later = driven.add(priority=-1, run_at=driven.clock.now + timedelta(seconds=5))
        now = driven.add(priority=9)
        assert driven.worker().claimed_ids() == [now.id]
        driven.clock.advance(5)
        assert driven.worker().claimed_ids() == [later.id]

    def test_failed_blocked_and_finished_jobs_are_not_claimed(self, driven: Driven) -> None:
        driven.settle([ended(driven.add_running(), Move.FAIL, error="x")])
        driven.settle([ended(driven.add_running(), Move.FINISH)])
        driven.add(state=State.BLOCKED)
        assert driven.worker().claim() == ([], [], None)

    def test_a_limit_of_nothing_gives_nothing(self, driven: Driven) -> None:
        driven.add()
        assert driven.worker().claim(0) == ([], [], None)

    def test_nothing_happens_before_an_operation_is_run(self, driven: Driven) -> None:
        job = driven.add()
        driven.store.claim(driven.worker().request()).close()
        assert driven.reread(job).state is State.QUEUED

    def test_next_due_is_the_time_of_the_next_job_when_few_were_ready(self, driven: Driven) -> None:
        soon = driven.clock.now + timedelta(seconds=5)
        driven.add()
        driven.add(run_at=soon + timedelta(seconds=5), priority=-1)
        driven.add(run_at=soon, queue="other", priority=5)
        assert driven.worker().next_due_after(2) == soon

    def test_next_due_is_not_given_when_enough_were_ready(self, driven: Driven) -> None:
        driven.add()
        driven.add(run_at=driven.clock.now + timedelta(seconds=5))
        assert driven.worker().claim(1).next_due is None

    def test_next_due_is_not_given_when_nothing_waits(self, driven: Driven) -> None:
        driven.add()
        assert driven.worker().next_due_after(2) is None

    def test_settlements_are_applied_before_the_claim(self, driven: Driven) -> None:
        first, second = driven.add(), driven.add()
        worker = driven.worker()
        (running,) = worker.claim(1).jobs
        claimed = worker.claim(5, [ended(running, Move.RELEASE)])
        assert (ids_of(claimed.jobs), claimed.lost) == ([first.id, second.id], [])

    def test_a_claim_tells_which_settlements_came_too_late(self, driven: Driven) -> None:
        worker = driven.worker()
        lost, held = worker.take(driven.add()), worker.take(driven.add())
        driven.settle([ended(lost, Move.FINISH)])
        third = driven.add()
        claimed = worker.claim(5, [ended(lost, Move.FINISH), ended(held, Move.FINISH)])
        assert (ids_of(claimed.jobs), claimed.lost) == ([third.id], [lost.id])
        assert driven.reread(held).state is State.SUCCEEDED

    def test_a_limit_of_nothing_settles(self, driven: Driven) -> None:
        running, waiting = driven.add_running(), driven.add()
        assert driven.worker().claim(0, [ended(running, Move.FINISH)]) == ([], [], None)
        assert driven.reread(running).state is State.SUCCEEDED
        assert driven.reread(waiting).state is State.QUEUED

    def test_a_job_that_crashed_a_worker_is_claimed_alone(self, driven: Driven) -> None:
        suspect = crashed(driven)
        others = [driven.add().id for _ in range(3)]
        worker = driven.worker()
        assert worker.claimed_ids() == [suspect.id]
        assert worker.claimed_ids() == others

    def test_nobody_overtakes_a_job_that_crashed_a_worker(self, driven: Driven) -> None:
        before = driven.add(run_at=driven.clock.now - timedelta(seconds=100)).id
        suspect = crashed(driven, run_at=driven.clock.now - timedelta(seconds=50))
        after = driven.add().id
        claimed = driven.worker().claim()
        assert (ids_of(claimed.jobs), claimed.next_due) == ([before], suspect.run_at)
        assert driven.worker().claimed_ids() == [suspect.id]
        assert driven.worker().claimed_ids() == [after]

    def test_two_jobs_that_crashed_a_worker_are_claimed_one_by_one(self, driven: Driven) -> None:
        ids = sorted([crashed(driven).id, crashed(driven).id])
        assert [driven.worker().claimed_ids(), driven.worker().claimed_ids()] == [ids[:1], ids[1:]]

    def test_one_job_may_be_claimed_before_its_time_and_from_a_paused_queue(self, driven: Driven) -> None:
        job = driven.add(run_at=driven.clock.now + timedelta(days=1))
        driven.pause(job.queue)
        worker = driven.worker()
        lease = worker.next_lease()
        claimed = driven.claim_one(job.id, lease, worker.name)
        assert (claimed.state, claimed.lease, claimed.locked_by) == (State.RUNNING, lease, worker.name)
        assert (claimed.locked_at, claimed.run_at) == (driven.clock.now, job.run_at)
        assert driven.reread(job) == claimed

    def test_one_job_that_is_not_there_cannot_be_claimed(self, driven: Driven) -> None:
        with pytest.raises(JobNotFound):
            driven.claim_one(new_id(), 1, "ann")

    @pytest.mark.parametrize("move", [Move.FINISH, Move.FAIL, Move.CANCEL])
    def test_one_job_that_has_ended_cannot_be_claimed(self, driven: Driven, move: Move) -> None:
        job = driven.add_running()
        driven.settle([ended(job, move)])
        with pytest.raises(InvalidState, match="cannot claim"):
            driven.worker().take(job)

    def test_one_job_that_is_running_cannot_be_claimed(self, driven: Driven) -> None:
        job = driven.add_running()
        with pytest.raises(InvalidState, match="it is running"):
            driven.worker().take(job)
        assert driven.reread(job) == job


def crashed(driven: Driven, **fields: Any) -> Job[Any]:
    """Return a job that was rescued once; it is queued."""
    job = driven.add_running(**fields)
    driven.clock.advance(60)
    assert job.id in ids_of(driven.rescue(30))
    return driven.reread(job)


def ids_of(jobs: list[Job[Any]]) -> list[UUID]:
    """Return the ids of jobs."""
    return [job.id for job in jobs]


def in_order(jobs: list[Job[Any]]) -> list[Job[Any]]:
    """Return jobs in the order in which they are to be performed."""
    return sorted(jobs, key=lambda job: (job.priority, job.run_at, job.id))
