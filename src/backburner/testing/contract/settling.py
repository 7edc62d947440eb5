"""How attempts end, and that a worker which lost a job changes nothing."""

# ruff: noqa: S101 # tests are made of assert
from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any

import pytest

from backburner.core.job import Job, Progress
from backburner.core.lifecycle import Move, State
from backburner.core.ports import Standing
from backburner.testing.contract.driving import EVERY_STATE, Contract, Driven, ended

ENDS = [Move.FINISH, Move.RETRY, Move.SNOOZE, Move.RELEASE, Move.FAIL, Move.CANCEL]
PUT_BACK = [Move.RETRY, Move.SNOOZE, Move.RELEASE]


class SettleContract(Contract):
    """`settle`, and all else that asks for the lease."""

    def test_a_finished_job_has_succeeded_and_is_history(self, driven: Driven) -> None:
        job = driven.add_running()
        driven.clock.advance(3)
        assert driven.settle([ended(job, Move.FINISH, result='{"a":1}')]) == []
        after = driven.reread(job)
        assert (after.state, after.finished_at, after.result) == (State.SUCCEEDED, driven.clock.now, '{"a":1}')
        assert (after.lease, after.attempts, after.last_error) == (None, 0, None)

    def test_history_says_who_performed_the_job_and_since_when(self, driven: Driven) -> None:
        job = driven.add_running()
        driven.clock.advance(3)
        driven.settle([ended(job, Move.FINISH)])
        after = driven.reread(job)
        assert (after.locked_by, after.locked_at) == (job.locked_by, job.locked_at)

    def test_history_keeps_all_that_the_job_said(self, driven: Driven) -> None:
        given = {"tags": ("a", "b"), "max_run_time": timedelta(seconds=1), "keep_failed": False, "queue": "mail"}
        job = driven.add_running(discard_missing=True, max_attempts=2, priority=4, **given)
        driven.report_progress(job.id, job.lease, Progress(1, 2, "x"))
        driven.settle([ended(job, Move.FINISH)])
        after = driven.reread(job)
        kept = ("name", "handler", "run_at", "created_at", "discard_missing", "max_attempts", "priority", *given)
        assert {name: getattr(after, name) for name in kept} == {name: getattr(job, name) for name in kept}
        assert after.progress == Progress(1, 2, "x")

    def test_a_retried_job_waits_with_one_attempt_spent(self, driven: Driven) -> None:
        job, later = driven.add_running(), driven.clock.now + timedelta(seconds=6)
        driven.settle([ended(job, Move.RETRY, run_at=later, error="ValueError: no\ntrace")])
        after = driven.reread(job)
        assert (after.state, after.run_at, after.attempts) == (State.QUEUED, later, 1)
        assert after.last_error == "ValueError: no\ntrace"
        assert (after.lease, after.locked_by, after.locked_at, after.failed_at) == (None,) * 4

    def test_a_snoozed_job_waits_with_no_attempt_spent(self, driven: Driven) -> None:
        job, later = driven.add_running(), driven.clock.now + timedelta(seconds=6)
        driven.settle([ended(job, Move.SNOOZE, run_at=later)])
        after = driven.reread(job)
        assert (after.state, after.run_at, after.attempts, after.last_error) == (State.QUEUED, later, 0, None)
        assert (after.lease, after.locked_by, after.locked_at) == (None,) * 3

    def test_a_snooze_keeps_the_last_error_unless_it_brings_one(self, driven: Driven) -> None:
        job = driven.add_running()
        for error in ("first", None, "second"):
            driven.settle([ended(job, Move.SNOOZE, run_at=driven.clock.now, error=error)])
            job = driven.worker().take(job)
        assert job.last_error == "second"
        driven.settle([ended(job, Move.SNOOZE, run_at=driven.clock.now)])
        assert driven.reread(job).last_error == "second"

    def test_a_released_job_is_as_it_was_before_the_claim(self, driven: Driven) -> None:
        before = driven.add(run_at=driven.clock.now - timedelta(seconds=9))
        job = driven.worker().take(before)
        driven.clock.advance(3)
        driven.settle([ended(job, Move.RELEASE, run_at=driven.clock.now, error="ignored")])
        assert driven.reread(job) == before

    def test_a_time_to_wait_for_comes_back_in_utc(self, driven: Driven) -> None:
        job = driven.add_running()
        there = driven.clock.now.astimezone(timezone(timedelta(hours=-5)))
        driven.settle([ended(job, Move.RETRY, run_at=there, error="x")])
        assert driven.reread(job).run_at.utcoffset() == timedelta(0)

    def test_a_failed_job_stays_in_sight(self, driven: Driven) -> None:
        job = driven.add_running()
        driven.clock.advance(3)
        driven.settle([ended(job, Move.FAIL, error="ValueError: no")])
        after = driven.reread(job)
        assert (after.state, after.failed_at, after.last_error) == (State.FAILED, driven.clock.now, "ValueError: no")
        assert (after.attempts, after.lease, after.finished_at) == (1, None, None)

    def test_a_failure_may_spend_no_attempt(self, driven: Driven) -> None:
        job = driven.add_running()
        driven.settle([ended(job, Move.FAIL, error="x", counts=False)])
        assert driven.reread(job).attempts == 0

    def test_a_cancelled_job_is_history(self, driven: Driven) -> None:
        job = driven.add_running()
        driven.clock.advance(3)
        driven.settle([ended(job, Move.CANCEL, error="Cancel: not needed")])
        after = driven.reread(job)
        assert (after.state, after.finished_at) == (State.CANCELLED, driven.clock.now)
        assert (after.last_error, after.attempts, after.lease) == ("Cancel: not needed", 0, None)

    @pytest.mark.parametrize("move", [Move.FINISH, Move.FAIL, Move.CANCEL])
    def test_what_is_not_to_be_kept_is_deleted(self, driven: Driven, move: Move) -> None:
        job = driven.add_running()
        assert driven.settle([ended(job, move, keep=False)]) == []
        assert driven.get(job.id) is None
        assert driven.count(EVERY_STATE) == 0

    @pytest.mark.parametrize("move", PUT_BACK)
    def test_what_goes_on_is_never_deleted(self, driven: Driven, move: Move) -> None:
        job = driven.add_running()
        driven.settle([ended(job, move, run_at=driven.clock.now, keep=False)])
        assert driven.reread(job).state is State.QUEUED

    def test_many_settlements_are_applied_at_once(self, driven: Driven) -> None:
        jobs = [driven.add_running() for _ in ENDS]
        settlements = [ended(job, move, run_at=driven.clock.now) for job, move in zip(jobs, ENDS, strict=True)]
        assert driven.settle(settlements) == []
        queued = State.QUEUED
        states = [State.SUCCEEDED, queued, queued, queued, State.FAILED, State.CANCELLED]
        assert [driven.reread(job).state for job in jobs] == states

    def test_a_batch_may_finish_in_different_ways(self, driven: Driven) -> None:
        for _ in range(6):
            driven.add()
        jobs = driven.worker().claim().jobs
        results = ["1", "2", None, "1", None, "2"]
        keeps = [True, True, True, True, False, False]
        finished = zip(jobs, results, keeps, strict=True)
        assert driven.settle([ended(job, Move.FINISH, result=r, keep=keep) for job, r, keep in finished]) == []
        assert [driven.reread(job).result for job in jobs[:4]] == results[:4]
        assert [driven.get(job.id) for job in jobs[4:]] == [None, None]

    def test_no_settlements_are_no_work(self, driven: Driven) -> None:
        assert driven.settle([]) == []

    @pytest.mark.parametrize("keep", [True, False])
    @pytest.mark.parametrize("move", ENDS)
    def test_a_worker_that_lost_a_job_changes_nothing(self, driven: Driven, move: Move, keep: bool) -> None:
        late = driven.add_running()
        driven.settle([ended(late, Move.RELEASE)])
        running = driven.worker().take(late)
        assert driven.settle([ended(late, move, run_at=driven.clock.advance(9), error="late", keep=keep)]) == [late.id]
        assert driven.reread(late) == running

    @pytest.mark.parametrize("first", ENDS)
    @pytest.mark.parametrize("second", ENDS)
    def test_a_job_is_settled_once(self, driven: Driven, first: Move, second: Move) -> None:
        job = driven.add_running()
        driven.settle([ended(job, first, run_at=driven.clock.now)])
        after = driven.reread(job)
        assert driven.settle([ended(job, second, run_at=driven.clock.advance(1), error="x")]) == [job.id]
        assert driven.reread(job) == after

    @pytest.mark.parametrize("move", ENDS)
    def test_a_job_that_is_gone_is_lost(self, driven: Driven, move: Move) -> None:
        job = driven.add_running()
        driven.settle([ended(job, Move.FINISH, keep=False)])
        assert driven.settle([ended(job, move, run_at=driven.clock.now)]) == [job.id]
        assert driven.count(EVERY_STATE) == 0

    def test_of_a_batch_only_what_was_lost_is_lost(self, driven: Driven) -> None:
        for _ in range(5):
            driven.add()
        worker = driven.worker()
        jobs = worker.claim().jobs
        lost = jobs[1], jobs[3]
        driven.settle([ended(job, Move.RELEASE) for job in lost])
        again = driven.worker().claim().jobs
        assert set(driven.settle([ended(job, Move.FINISH) for job in jobs])) == {job.id for job in lost}
        assert [driven.reread(job) for job in lost] == again
        assert driven.reread(jobs[4]).state is State.SUCCEEDED

    def test_a_worker_that_lost_a_job_reports_no_progress(self, driven: Driven) -> None:
        late = driven.add_running()
        driven.settle([ended(late, Move.RELEASE)])
        running = driven.worker().take(late)
        assert driven.report_progress(late.id, late.lease, Progress(1, None, None)) is False
        assert driven.reread(late) == running

    def test_a_worker_that_lost_a_job_is_told_to_stop(self, driven: Driven) -> None:
        late = driven.add_running()
        assert driven.is_cancel_requested(late.id, late.lease) is False
        driven.settle([ended(late, Move.RELEASE)])
        assert driven.is_cancel_requested(late.id, late.lease) is True
        running = driven.worker().take(late)
        assert driven.is_cancel_requested(late.id, late.lease) is True
        assert driven.is_cancel_requested(running.id, running.lease) is False

    def test_a_running_job_that_is_asked_to_stop_learns_of_it(self, driven: Driven) -> None:
        job = asked_to_stop(driven)
        assert driven.is_cancel_requested(job.id, job.lease) is True
        assert driven.reread(job).cancel_requested is True

    def test_how_it_stands_with_jobs_is_told_of_many_at_once(self, driven: Driven) -> None:
        goes_on, lost, gone = (driven.add_running() for _ in range(3))
        to_stop = asked_to_stop(driven)
        driven.settle([ended(lost, Move.RELEASE), ended(gone, Move.FINISH)])
        again = driven.worker().take(lost)
        held = [(job.id, job.lease) for job in (goes_on, lost, gone, to_stop)]
        standing = driven.standing(held)
        assert standing == Standing([to_stop.id], [lost.id, gone.id])
        assert driven.standing([(again.id, again.lease)]) == Standing([], [])
        assert driven.standing([(to_stop.id, (to_stop.lease or 0) + 1)]) == Standing([], [to_stop.id])
        assert driven.standing([]) == Standing([], [])

    @pytest.mark.parametrize("move", PUT_BACK)
    def test_a_job_may_be_put_back_with_a_crash(self, driven: Driven, move: Move) -> None:
        job = driven.add_running()
        driven.settle([ended(job, move, run_at=driven.clock.now, crashed=True)])
        after = driven.reread(job)
        assert (after.state, after.crashes) == (State.QUEUED, 1)

    def test_a_job_that_crashed_keeps_its_place_in_the_line_and_the_error(self, driven: Driven) -> None:
        job = driven.add_running()
        driven.clock.advance(3)
        driven.settle([ended(job, Move.SNOOZE, error="JobCrashed: no", crashed=True)])
        after = driven.reread(job)
        assert (after.run_at, after.last_error, after.attempts) == (job.run_at, "JobCrashed: no", 0)

    def test_a_job_that_crashed_is_claimed_alone(self, driven: Driven) -> None:
        job = driven.add_running()
        driven.settle([ended(job, Move.SNOOZE, crashed=True)])
        driven.add()
        assert driven.worker().claimed_ids() == [job.id]

    @pytest.mark.parametrize("keep", [True, False])
    def test_a_job_may_fail_with_a_crash(self, driven: Driven, keep: bool) -> None:
        job = driven.add_running()
        assert driven.settle([ended(job, Move.FAIL, error="x", counts=False, crashed=True, keep=keep)]) == []
        after = driven.get(job.id)
        assert (after and (after.crashes, after.attempts)) == ((1, 0) if keep else None)

    def test_a_crashed_job_that_was_asked_to_stop_is_cancelled(self, driven: Driven) -> None:
        job = asked_to_stop(driven)
        driven.settle([ended(job, Move.SNOOZE, error="x", crashed=True)])
        after = driven.reread(job)
        assert (after.state, after.crashes) == (State.CANCELLED, 1)

    @pytest.mark.parametrize("move", [Move.SNOOZE, Move.FAIL])
    def test_a_worker_that_lost_a_job_counts_no_crash(self, driven: Driven, move: Move) -> None:
        late = driven.add_running()
        driven.settle([ended(late, Move.RELEASE)])
        running = driven.worker().take(late)
        assert driven.settle([ended(late, move, error="x", crashed=True)]) == [late.id]
        assert driven.reread(late) == running

    @pytest.mark.parametrize("move", PUT_BACK)
    def test_a_job_that_is_put_back_keeps_its_place(self, driven: Driven, move: Move) -> None:
        job = driven.add_running()
        place = {"0": {"ended": True}, "rows": {"behind": [7, "é\u0000", None]}}
        assert driven.report_progress(job.id, job.lease, None, place)
        driven.settle([ended(job, move, run_at=driven.clock.now)])
        after = driven.worker().take(job)
        assert (after.place, after.progress) == (place, None)
        assert driven.reread(job).place == place

    def test_progress_and_place_are_kept_side_by_side(self, driven: Driven) -> None:
        job = driven.add_running()
        driven.report_progress(job.id, job.lease, Progress(1, 2, "x"), {"0": {"behind": 1}})
        after = driven.reread(job)
        assert (after.progress, after.place) == (Progress(1, 2, "x"), {"0": {"behind": 1}})
        driven.report_progress(job.id, job.lease, Progress(2, 2, None))
        after = driven.reread(job)
        assert (after.progress, after.place) == (Progress(2, 2, None), None)

    def test_a_rescued_job_keeps_its_place(self, driven: Driven) -> None:
        job = driven.add_running()
        driven.report_progress(job.id, job.lease, None, {"0": {"behind": 1}})
        driven.clock.advance(31)
        (rescued,) = driven.rescue(30)
        assert rescued.place == {"0": {"behind": 1}}

    @pytest.mark.parametrize("move", [*PUT_BACK, Move.CANCEL])
    def test_a_job_that_was_asked_to_stop_does_not_go_on(self, driven: Driven, move: Move) -> None:
        job = asked_to_stop(driven)
        driven.clock.advance(2)
        assert driven.settle([ended(job, move, run_at=driven.clock.now, error="why")]) == []
        after = driven.reread(job)
        assert (after.state, after.finished_at, after.attempts) == (State.CANCELLED, driven.clock.now, 0)
        assert (after.last_error, after.lease) == ("why", None)

    @pytest.mark.parametrize("move", PUT_BACK)
    def test_a_job_that_was_asked_to_stop_may_leave_no_trace(self, driven: Driven, move: Move) -> None:
        job = asked_to_stop(driven)
        assert driven.settle([ended(job, move, run_at=driven.clock.now, keep=False)]) == []
        assert driven.get(job.id) is None

    @pytest.mark.parametrize(("move", "state"), [(Move.FINISH, State.SUCCEEDED), (Move.FAIL, State.FAILED)])
    def test_what_a_job_did_before_it_was_to_stop_stands(self, driven: Driven, move: Move, state: State) -> None:
        job = asked_to_stop(driven)
        driven.settle([ended(job, move)])
        assert driven.reread(job).state is state


def asked_to_stop(driven: Driven) -> Job[Any]:
    """Return a running job that was cancelled, as it was claimed."""
    job = driven.add_running()
    driven.cancel(job.id)
    return job
