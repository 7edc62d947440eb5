"""What people do with jobs."""

# ruff: noqa: S101 # tests are made of assert
from __future__ import annotations

from datetime import timedelta

import pytest

from backburner.core.errors import InvalidState, JobNotFound
from backburner.core.job import Progress
from backburner.core.lifecycle import Move, State
from backburner.core.ports import JobFilter
from backburner.testing.contract.driving import EVERY_STATE, Contract, Driven, ended, new_id


class ChangeContract(Contract):
    """`cancel`, `requeue`, `delete`, and the like for many."""

    @pytest.mark.parametrize("state", [State.QUEUED, State.BLOCKED])
    def test_a_job_that_waits_is_cancelled_at_once(self, driven: Driven, state: State) -> None:
        job = driven.add(state=state)
        driven.clock.advance(2)
        cancelled = driven.cancel(job.id)
        assert (cancelled.state, cancelled.finished_at) == (State.CANCELLED, driven.clock.now)
        assert driven.reread(job) == cancelled
        assert driven.worker().claim() == ([], [], None)

    def test_a_running_job_is_asked_to_stop(self, driven: Driven) -> None:
        job = driven.add_running()
        for _ in range(2):
            asked = driven.cancel(job.id)
            assert (asked.state, asked.cancel_requested, asked.lease) == (State.RUNNING, True, job.lease)
        assert driven.reread(job) == asked

    @pytest.mark.parametrize("move", [Move.FINISH, Move.FAIL, Move.CANCEL])
    def test_a_job_that_has_ended_cannot_be_cancelled(self, driven: Driven, move: Move) -> None:
        job = driven.add_running()
        driven.settle([ended(job, move)])
        after = driven.reread(job)
        with pytest.raises(InvalidState, match=f"cannot cancel job {job.id}: it is {after.state.value}"):
            driven.cancel(job.id)
        assert driven.reread(job) == after

    @pytest.mark.parametrize("verb", ["cancel", "requeue", "delete"])
    def test_an_unknown_id_is_said_to_be_unknown(self, driven: Driven, verb: str) -> None:
        unknown = new_id()
        with pytest.raises(JobNotFound, match=str(unknown)):
            getattr(driven, verb)(unknown)

    def test_a_failed_job_begins_anew(self, driven: Driven) -> None:
        job = driven.add_running()
        driven.report_progress(job.id, job.lease, Progress(1, 2, None), {"0": {"behind": 1}})
        driven.settle([ended(job, Move.FAIL, error="ValueError: no")])
        now = driven.clock.advance(100)
        again = driven.requeue(job.id)
        assert (again.state, again.run_at, again.attempts, again.failed_at) == (State.QUEUED, now, 0, None)
        assert (again.locked_by, again.locked_at, again.progress, again.place) == (None, None, None, None)
        assert again.last_error == "ValueError: no"
        assert driven.reread(job) == again
        assert driven.worker().claimed_ids() == [job.id]

    def test_a_cancelled_job_comes_back_from_history(self, driven: Driven) -> None:
        job = driven.add(queue="mail", tags=("a",), max_run_time=timedelta(seconds=9), max_attempts=7, priority=2)
        driven.cancel(job.id)
        now = driven.clock.advance(100)
        again = driven.requeue(job.id)
        assert (again.state, again.run_at, again.finished_at) == (State.QUEUED, now, None)
        assert (again.queue, again.tags, again.max_attempts, again.priority) == ("mail", ("a",), 7, 2)
        assert (again.max_run_time, again.created_at) == (job.max_run_time, job.created_at)
        assert driven.reread(job) == again
        assert driven.count(EVERY_STATE) == 1
        assert driven.worker().claimed_ids() == [job.id]

    def test_a_job_that_was_cancelled_while_running_begins_anew(self, driven: Driven) -> None:
        job = driven.add_running()
        driven.cancel(job.id)
        driven.settle([ended(job, Move.CANCEL, error="stopped")])
        again = driven.requeue(job.id)
        assert (again.cancel_requested, again.locked_by, again.last_error) == (False, None, "stopped")
        running = driven.worker().take(job)
        driven.settle([ended(running, Move.RETRY, run_at=driven.clock.now, error="x")])
        assert driven.reread(job).state is State.QUEUED

    def test_a_job_that_failed_while_it_was_to_stop_begins_anew(self, driven: Driven) -> None:
        job = driven.add_running()
        driven.cancel(job.id)
        driven.settle([ended(job, Move.FAIL, error="x")])
        assert driven.requeue(job.id).cancel_requested is False

    @pytest.mark.parametrize("state", [State.QUEUED, State.BLOCKED])
    def test_a_job_that_waits_is_made_due(self, driven: Driven, state: State) -> None:
        job = driven.add(state=state, run_at=driven.clock.now + timedelta(days=1), attempts=3)
        again = driven.requeue(job.id)
        assert (again.state, again.run_at, again.attempts) == (State.QUEUED, driven.clock.now, 0)
        assert driven.worker().claimed_ids() == [job.id]

    def test_a_job_that_crashed_workers_begins_anew(self, driven: Driven) -> None:
        job = driven.add_running()
        driven.clock.advance(60)
        driven.rescue(30)
        assert driven.reread(job).crashes == 1
        assert driven.requeue(job.id).crashes == 0

    def test_a_running_job_cannot_be_requeued(self, driven: Driven) -> None:
        job = driven.add_running()
        with pytest.raises(InvalidState, match="it is running"):
            driven.requeue(job.id)
        assert driven.reread(job) == job

    def test_a_job_that_has_succeeded_cannot_be_requeued(self, driven: Driven) -> None:
        job = driven.add_running()
        driven.settle([ended(job, Move.FINISH)])
        with pytest.raises(InvalidState, match="it is succeeded"):
            driven.requeue(job.id)

    def test_all_failed_jobs_are_requeued(self, driven: Driven) -> None:
        failed = [failed_job(driven, queue=queue) for queue in ("mail", "mail", "default")]
        cancelled = driven.cancel(driven.add(queue="mail").id)
        assert driven.requeue_all(JobFilter(queue="mail")) == 2
        assert [driven.get(job_id).state for job_id in failed] == [State.QUEUED, State.QUEUED, State.FAILED]
        assert driven.get(cancelled.id).state is State.CANCELLED
        assert driven.requeue_all(JobFilter()) == 1

    def test_jobs_of_the_states_named_are_requeued_where_that_is_possible(self, driven: Driven) -> None:
        running = driven.add_running()
        done = driven.add_running()
        driven.settle([ended(done, Move.FINISH)])
        later = driven.clock.now + timedelta(days=1)
        waiting, cancelled = driven.add(run_at=later), driven.cancel(driven.add(tags=("t",)).id)
        failed = failed_job(driven)
        assert driven.requeue_all(EVERY_STATE) == 3
        for job_id in (waiting.id, cancelled.id, failed):
            assert (driven.get(job_id).state, driven.get(job_id).run_at) == (State.QUEUED, driven.clock.now)
        assert (driven.reread(running), driven.reread(done).state) == (running, State.SUCCEEDED)
        assert driven.count(EVERY_STATE) == 5

    @pytest.mark.parametrize("state", [State.QUEUED, State.BLOCKED])
    def test_a_job_that_waits_is_deleted(self, driven: Driven, state: State) -> None:
        job = driven.add(state=state)
        assert driven.delete(job.id) == job
        assert driven.get(job.id) is None
        assert driven.worker().claim() == ([], [], None)

    @pytest.mark.parametrize("move", [Move.FINISH, Move.FAIL, Move.CANCEL])
    def test_a_job_that_has_ended_is_deleted(self, driven: Driven, move: Move) -> None:
        job = driven.add_running()
        driven.settle([ended(job, move)])
        after = driven.reread(job)
        assert driven.delete(job.id) == after
        assert driven.get(job.id) is None

    def test_a_running_job_is_not_deleted(self, driven: Driven) -> None:
        job = driven.add_running()
        with pytest.raises(InvalidState, match="it is running"):
            driven.delete(job.id)
        assert driven.reread(job) == job

    def test_all_that_is_not_running_and_not_history_is_deleted(self, driven: Driven) -> None:
        running, cancelled = driven.add_running(), driven.cancel(driven.add().id)
        failed_job(driven)
        driven.add(state=State.BLOCKED)
        driven.add()
        assert driven.delete_all(JobFilter()) == 3
        assert (driven.reread(running), driven.get(cancelled.id)) == (running, cancelled)
        assert driven.delete_all(EVERY_STATE) == 1
        assert driven.count(EVERY_STATE) == 1

    def test_what_fits_is_deleted(self, driven: Driven) -> None:
        driven.add(queue="mail", name="a")
        kept = [driven.add(queue="mail", name="b"), driven.add(queue="default", name="a")]
        assert driven.delete_all(JobFilter(queue="mail", name="a")) == 1
        assert driven.find(JobFilter()) == kept

    def test_a_change_that_is_refused_changes_nothing(self, driven: Driven) -> None:
        job = driven.add()
        before = driven.find(EVERY_STATE)
        with pytest.raises(JobNotFound):
            driven.delete(new_id())
        assert driven.find(EVERY_STATE) == before
        assert driven.cancel(job.id).state is State.CANCELLED


def failed_job(driven: Driven, **fields: object) -> object:
    """Return the id of a job that has failed."""
    job = driven.add_running(**fields)
    driven.settle([ended(job, Move.FAIL, error="x")])
    return job.id
