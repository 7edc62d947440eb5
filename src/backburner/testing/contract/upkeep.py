"""Workers that live and workers that die."""

# ruff: noqa: S101 # tests are made of assert
from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backburner.core.job import Job
from backburner.core.lifecycle import Move, State
from backburner.core.ports import MAX_CRASHES, WorkerInfo
from backburner.testing.contract.driving import EVERY_STATE, START, Contract, Driven, ended, new_job


class UpkeepContract(Contract):
    """`register`, `beat`, `check_in`, `retire`, `rescue`, `bury` and `prune`."""

    def test_a_worker_is_seen_once_it_is_registered(self, driven: Driven) -> None:
        number = driven.register(WorkerInfo("ann", "host", 42, ("mail", "ima,ges"), 3))
        expected = WorkerInfo(
            "ann", "host", 42, ("mail", "ima,ges"), 3, number=number, started_at=START, beat_at=START, running=0
        )
        assert driven.workers() == [expected]

    def test_workers_come_oldest_first_with_what_they_hold(self, driven: Driven) -> None:
        workers = [driven.worker(name) for name in ("zoe", "ann")]
        for _ in range(3):
            driven.add()
        workers[1].claim(2)
        workers[1].claim(1)
        assert [(info.name, info.running) for info in driven.workers()] == [(workers[0].name, 0), (workers[1].name, 3)]

    def test_a_worker_of_all_queues_says_so(self, driven: Driven) -> None:
        driven.worker()
        assert driven.workers()[0].queues is None

    def test_a_number_is_never_given_again(self, driven: Driven) -> None:
        numbers = []
        for _ in range(3):
            numbers.append(driven.worker().number)
            driven.retire(numbers[-1])
        assert numbers == sorted(set(numbers))
        assert numbers[0] > 0

    def test_a_beat_is_noted(self, driven: Driven) -> None:
        worker = driven.worker()
        now = driven.clock.advance(10)
        assert driven.beat(worker.number) is True
        (info,) = driven.workers()
        assert (info.started_at, info.beat_at) == (START, now)

    def test_a_worker_that_retires_gives_back_what_it_holds(self, driven: Driven) -> None:
        worker, other = driven.worker(), driven.worker()
        jobs = [driven.add() for _ in range(3)]
        worker.claim(2)
        (held,) = other.claim(1).jobs
        assert driven.retire(worker.number) == 2
        assert [driven.reread(job) for job in jobs[:2]] == jobs[:2]
        assert driven.reread(held) == held
        assert [info.number for info in driven.workers()] == [other.number]

    def test_a_worker_that_retires_cancels_what_was_asked_to_stop(self, driven: Driven) -> None:
        worker = driven.worker()
        job = worker.take(driven.add())
        driven.cancel(job.id)
        assert driven.retire(worker.number) == 1
        assert driven.reread(job).state is State.CANCELLED

    def test_retiring_may_be_repeated(self, driven: Driven) -> None:
        worker = driven.worker()
        assert [driven.retire(worker.number), driven.retire(worker.number)] == [0, 0]

    def test_a_retired_worker_is_told_so(self, driven: Driven) -> None:
        worker = driven.worker()
        driven.retire(worker.number)
        assert driven.beat(worker.number) is False

    def test_checking_in_beats(self, driven: Driven) -> None:
        worker, other = driven.worker(), driven.worker()
        now = driven.clock.advance(10)
        assert driven.check_in(30, worker.number) == (True, False, None)
        assert [(info.number, info.beat_at) for info in driven.workers()] == [
            (worker.number, now),
            (other.number, START),
        ]

    def test_who_only_asks_beats_for_nobody(self, driven: Driven) -> None:
        driven.worker()
        driven.clock.advance(10)
        assert driven.check_in(30) == (True, False, None)
        assert [info.beat_at for info in driven.workers()] == [START]

    @pytest.mark.parametrize("end", ["retired", "taken for dead"])
    def test_a_worker_that_was_struck_off_is_told_so_when_it_checks_in(self, driven: Driven, end: str) -> None:
        worker = driven.worker()
        if end == "retired":
            driven.retire(worker.number)
        else:
            driven.clock.advance(31)
            driven.rescue(30)
        assert driven.check_in(30, worker.number).is_known is False
        assert driven.workers() == []

    def test_a_rescue_is_needed_once_a_worker_is_silent_for_too_long(self, driven: Driven) -> None:
        silent, alive = driven.worker(), driven.worker()
        silent.take(driven.add())
        driven.clock.advance(30)
        assert driven.check_in(30, alive.number).is_rescue_needed is False
        driven.clock.advance(1)
        assert driven.check_in(30, alive.number).is_rescue_needed is True
        driven.rescue(30)
        assert driven.check_in(30, alive.number).is_rescue_needed is False

    def test_a_worker_that_comes_back_in_time_needs_no_rescue(self, driven: Driven) -> None:
        worker = driven.worker()
        driven.clock.advance(31)
        driven.beat(worker.number)
        assert driven.check_in(30).is_rescue_needed is False

    def test_who_checks_in_late_needs_no_rescue(self, driven: Driven) -> None:
        worker = driven.worker()
        driven.clock.advance(31)
        assert driven.check_in(30, worker.number) == (True, False, None)

    def test_no_rescue_is_needed_where_there_is_no_worker(self, driven: Driven) -> None:
        assert driven.check_in(30).is_rescue_needed is False
        driven.add()
        driven.retire(driven.worker().number)
        assert driven.check_in(30).is_rescue_needed is False

    def test_a_rescue_is_needed_for_what_is_held_by_nobody_registered(self, driven: Driven) -> None:
        worker, alive = driven.worker(), driven.worker()
        driven.retire(worker.number)
        job = worker.take(driven.add())
        assert driven.check_in(30, alive.number).is_rescue_needed is True
        assert [rescued.id for rescued in driven.rescue(30)] == [job.id]

    def test_who_checks_in_hears_when_the_next_job_is_due(self, driven: Driven) -> None:
        wanted = driven.worker().request()
        assert driven.check_in(30, None, wanted).next_due is None
        driven.add(run_at=START + timedelta(seconds=20))
        driven.add(run_at=START + timedelta(seconds=10))
        assert driven.check_in(30, None, wanted).next_due == START + timedelta(seconds=10)
        driven.add(run_at=START - timedelta(seconds=5))
        assert driven.check_in(30, None, wanted).next_due == START - timedelta(seconds=5)
        assert driven.check_in(30).next_due is None

    def test_what_is_not_queued_is_not_due(self, driven: Driven) -> None:
        worker = driven.worker()
        driven.settle([ended(worker.take(driven.add()), Move.FINISH)])
        driven.settle([ended(worker.take(driven.add()), Move.FAIL)])
        worker.take(driven.add())
        assert driven.check_in(30, worker.number, worker.request()) == (True, False, None)

    @pytest.mark.parametrize(
        ("wish", "expected"),
        [
            ({}, 1),
            ({"queues": ("mail",)}, 3),
            ({"exclude": ("slow", "other")}, 3),
            ({"min_priority": 5}, 1),
            ({"max_priority": 5}, 2),
            ({"queues": ("mail", "slow"), "exclude": ("slow",), "min_priority": 5, "max_priority": 5}, 3),
        ],
    )
    def test_only_what_the_worker_wants_is_due(self, driven: Driven, wish: dict[str, Any], expected: int) -> None:
        wanted = driven.worker().request(**wish)
        for queue, priority, seconds in (("slow", 9, 1), ("other", 0, 2), ("mail", 5, 3)):
            driven.add(queue=queue, priority=priority, run_at=START + timedelta(seconds=seconds))
        assert driven.check_in(30, None, wanted).next_due == START + timedelta(seconds=expected)

    def test_nothing_is_due_in_a_paused_queue(self, driven: Driven) -> None:
        wanted = driven.worker().request()
        driven.add(queue="mail")
        driven.pause("mail")
        assert driven.check_in(30, None, wanted).next_due is None
        driven.resume("mail")
        assert driven.check_in(30, None, wanted).next_due == START

    def test_a_worker_that_is_heard_of_keeps_its_jobs(self, driven: Driven) -> None:
        worker = driven.worker()
        job = worker.take(driven.add())
        for _ in range(5):
            driven.clock.advance(20)
            driven.beat(worker.number)
            assert driven.rescue(30) == []
        assert driven.reread(job) == job

    def test_silence_of_exactly_the_lease_is_not_yet_too_long(self, driven: Driven) -> None:
        worker = driven.worker()
        driven.clock.advance(30)
        assert driven.rescue(30) == []
        assert driven.beat(worker.number) is True

    def test_a_silent_worker_loses_its_jobs(self, driven: Driven) -> None:
        worker, alive = driven.worker(), driven.worker()
        early = driven.clock.now - timedelta(seconds=5)
        lost, kept = worker.take(driven.add(run_at=early)), alive.take(driven.add())
        driven.clock.advance(31)
        driven.beat(alive.number)
        (rescued,) = driven.rescue(30)
        assert (rescued.id, rescued.state, rescued.crashes, rescued.attempts) == (lost.id, State.QUEUED, 1, 0)
        assert (rescued.run_at, rescued.lease, rescued.locked_by, rescued.locked_at) == (early, None, None, None)
        assert driven.reread(lost) == rescued
        assert driven.reread(kept) == kept
        assert [info.number for info in driven.workers()] == [alive.number]
        assert driven.beat(worker.number) is False

    def test_a_worker_taken_for_dead_can_settle_nothing(self, driven: Driven) -> None:
        worker = driven.worker()
        job = worker.take(driven.add())
        driven.clock.advance(31)
        (rescued,) = driven.rescue(30)
        assert driven.settle([ended(job, Move.FINISH)]) == [job.id]
        assert driven.reread(job) == rescued

    def test_what_a_worker_claims_after_it_was_taken_for_dead_is_rescued(self, driven: Driven) -> None:
        worker = driven.worker()
        driven.clock.advance(31)
        driven.rescue(30)
        job = worker.take(driven.add())
        assert [rescued.id for rescued in driven.rescue(30)] == [job.id]

    def test_rescuing_twice_counts_once(self, driven: Driven) -> None:
        job = driven.add_running()
        driven.clock.advance(31)
        assert len(driven.rescue(30)) == 1
        assert driven.rescue(30) == []
        assert driven.reread(job).crashes == 1

    def test_rescued_jobs_come_by_id(self, driven: Driven) -> None:
        jobs = [driven.add(priority=-number) for number in range(5)]
        worker = driven.worker()
        worker.claim()
        driven.clock.advance(31)
        assert [job.id for job in driven.rescue(30)] == [job.id for job in jobs]

    def test_very_many_jobs_are_rescued_portion_by_portion(self, driven: Driven) -> None:
        driven.enqueue([new_job(driven.clock.now) for _ in range(2200)])
        worker = driven.worker()
        while worker.claim(1000).jobs:
            pass
        driven.clock.advance(31)
        rescued: list[Job[Any]] = []
        while portion := driven.rescue(30):
            rescued += portion
        assert len({job.id for job in rescued}) == len(rescued) == 2200
        assert {(job.state, job.crashes) for job in rescued} == {(State.QUEUED, 1)}

    def test_a_job_that_crashes_its_worker_again_and_again_fails(self, driven: Driven) -> None:
        job = driven.add()
        for crashes in range(1, MAX_CRASHES):
            (rescued,) = lose_worker_with(driven, job)
            assert (rescued.state, rescued.crashes) == (State.QUEUED, crashes)
        (failed,) = lose_worker_with(driven, job)
        assert (failed.state, failed.crashes, failed.attempts) == (State.FAILED, MAX_CRASHES, 0)
        assert (failed.failed_at, failed.lease) == (driven.clock.now, None)
        assert failed.last_error is not None
        assert f"{MAX_CRASHES} workers were lost" in failed.last_error
        assert driven.reread(job) == failed

    def test_a_job_that_is_not_kept_when_it_fails_is_not_kept_when_it_crashes(self, driven: Driven) -> None:
        job = driven.add(keep_failed=False)
        for _ in range(MAX_CRASHES):
            (rescued,) = lose_worker_with(driven, job)
        assert rescued.state is State.FAILED
        assert driven.get(job.id) is None
        assert driven.count(EVERY_STATE) == 0

    def test_a_lost_job_that_was_asked_to_stop_is_cancelled(self, driven: Driven) -> None:
        job = driven.add_running()
        driven.cancel(job.id)
        driven.clock.advance(31)
        (rescued,) = driven.rescue(30)
        assert (rescued.state, rescued.finished_at) == (State.CANCELLED, driven.clock.now)
        assert driven.reread(job) == rescued

    def test_a_lost_job_that_was_asked_to_stop_is_cancelled_rather_than_failed(self, driven: Driven) -> None:
        job = driven.add()
        for _ in range(MAX_CRASHES - 1):
            lose_worker_with(driven, job)
        driven.worker().take(job)
        driven.cancel(job.id)
        driven.clock.advance(31)
        (rescued,) = driven.rescue(30)
        assert (rescued.state, rescued.crashes) == (State.CANCELLED, MAX_CRASHES)

    def test_an_attempt_between_crashes_does_not_wash_them_off(self, driven: Driven) -> None:
        job = driven.add()
        lose_worker_with(driven, job)
        running = driven.worker().take(job)
        driven.settle([ended(running, Move.RETRY, run_at=driven.clock.now, error="x")])
        assert (driven.reread(job).crashes, driven.reread(job).attempts) == (1, 1)

    def test_a_worker_known_to_be_dead_loses_its_jobs_at_once(self, driven: Driven) -> None:
        worker, alive = driven.worker(), driven.worker()
        early = driven.clock.now - timedelta(seconds=5)
        lost, kept = worker.take(driven.add(run_at=early)), alive.take(driven.add())
        (rescued,) = driven.bury(worker.number)
        assert (rescued.id, rescued.state, rescued.crashes, rescued.attempts) == (lost.id, State.QUEUED, 1, 0)
        assert (rescued.run_at, rescued.lease, rescued.locked_by, rescued.locked_at) == (early, None, None, None)
        assert driven.reread(lost) == rescued
        assert driven.reread(kept) == kept
        assert [info.number for info in driven.workers()] == [alive.number]

    def test_a_dead_worker_that_lives_can_change_nothing(self, driven: Driven) -> None:
        worker = driven.worker()
        job = worker.take(driven.add())
        (rescued,) = driven.bury(worker.number)
        assert driven.beat(worker.number) is False
        assert driven.settle([ended(job, Move.FINISH)]) == [job.id]
        assert driven.reread(job) == rescued

    def test_burying_twice_counts_once(self, driven: Driven) -> None:
        worker = driven.worker()
        job = worker.take(driven.add())
        assert [len(driven.bury(worker.number)) for _ in range(2)] == [1, 0]
        assert driven.reread(job).crashes == 1

    def test_who_was_never_registered_or_held_nothing_can_be_buried(self, driven: Driven) -> None:
        worker = driven.worker()
        assert [driven.bury(worker.number), driven.bury(worker.number + 1)] == [[], []]
        assert driven.workers() == []

    def test_what_others_claimed_who_are_not_registered_is_taken_as_well(self, driven: Driven) -> None:
        worker, other = driven.worker(), driven.worker()
        driven.retire(other.number)
        job = other.take(driven.add())
        assert [taken.id for taken in driven.bury(worker.number)] == [job.id]

    def test_the_jobs_of_a_dead_worker_come_by_id(self, driven: Driven) -> None:
        jobs = [driven.add(priority=-number) for number in range(5)]
        worker = driven.worker()
        worker.claim()
        assert [job.id for job in driven.bury(worker.number)] == [job.id for job in jobs]

    def test_a_job_that_buries_its_workers_fails(self, driven: Driven) -> None:
        job = driven.add()
        for _ in range(MAX_CRASHES):
            worker = driven.worker()
            worker.take(job)
            (taken,) = driven.bury(worker.number)
        assert (taken.state, taken.crashes, taken.attempts) == (State.FAILED, MAX_CRASHES, 0)
        assert f"{MAX_CRASHES} workers were lost" in (taken.last_error or "")

    def test_a_buried_worker_s_job_that_was_asked_to_stop_is_cancelled(self, driven: Driven) -> None:
        worker = driven.worker()
        job = worker.take(driven.add())
        driven.cancel(job.id)
        (taken,) = driven.bury(worker.number)
        assert (taken.state, taken.finished_at) == (State.CANCELLED, driven.clock.now)

    def test_old_history_is_removed(self, driven: Driven) -> None:
        old = finish_one(driven)
        cut = driven.clock.advance(10)
        new = finish_one(driven)
        assert driven.prune(cut) == 1
        assert (driven.get(old.id), driven.get(new.id)) == (None, driven.reread(new))
        assert driven.prune(cut) == 0

    def test_what_ended_exactly_then_stays(self, driven: Driven) -> None:
        finish_one(driven)
        assert driven.prune(driven.clock.now) == 0

    def test_history_is_removed_oldest_first_and_no_more_than_asked_for(self, driven: Driven) -> None:
        jobs = []
        for _ in range(5):
            driven.clock.advance(1)
            jobs.append(finish_one(driven))
        later = driven.clock.advance(10)
        assert [driven.prune(later, 2) for _ in range(2)] == [2, 2]
        assert driven.find(EVERY_STATE) == [driven.reread(jobs[4])]
        assert [driven.prune(later, 2) for _ in range(2)] == [1, 0]

    @pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.FAILED])
    def test_what_is_not_history_is_never_removed(self, driven: Driven, state: State) -> None:
        job = driven.add() if state is State.QUEUED else driven.add_running()
        if state is State.FAILED:
            driven.settle([ended(job, Move.FAIL)])
        assert driven.prune(driven.clock.advance(1_000_000)) == 0
        assert driven.reread(job).state is state


def lose_worker_with(driven: Driven, job: Job[Any]) -> list[Job[Any]]:
    """Let a new worker claim the job and not be heard of again; return what was rescued."""
    driven.worker().take(job)
    driven.clock.advance(31)
    rescued: list[Job[Any]] = driven.rescue(30)
    return rescued


def finish_one(driven: Driven) -> Job[Any]:
    """Return a job that has succeeded."""
    worker = driven.worker()
    job = worker.take(driven.add())
    driven.settle([ended(job, Move.FINISH)])
    driven.retire(worker.number)
    return driven.reread(job)
