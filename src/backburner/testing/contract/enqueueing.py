"""A job that was enqueued is there, as it was given."""

# ruff: noqa: S101 # tests are made of assert
from __future__ import annotations

from datetime import datetime, timedelta, timezone

from backburner.core.job import Progress
from backburner.core.lifecycle import Move, State
from backburner.testing.contract.driving import EVERY_STATE, Contract, Driven, ended, new_id, new_job


class EnqueueContract(Contract):
    """`enqueue`."""

    def test_a_job_comes_back_as_it_was_given(self, driven: Driven) -> None:
        job = driven.add(
            name="Úser.activate",
            handler='{"v":1,"call":{"function":"shop:grüße","args":["\U0001f600\n\\"]}}',
            queue="mail",
            priority=-7,
            run_at=driven.clock.now + timedelta(microseconds=123_457),
            created_at=driven.clock.now - timedelta(microseconds=1),
            max_attempts=3,
            max_run_time=timedelta(seconds=90, microseconds=1),
            keep_failed=False,
            discard_missing=True,
            tags=("tenant:1", "Ünïcode, with a comma"),
        )
        assert driven.get(job.id) == job

    def test_what_a_job_does_not_say_comes_back_empty(self, driven: Driven) -> None:
        job = driven.reread(driven.add())
        assert (job.state, job.attempts, job.crashes, job.tags) == (State.QUEUED, 0, 0, ())
        assert (job.max_run_time, job.last_error, job.progress, job.result, job.lease) == (None,) * 5
        assert (job.locked_by, job.locked_at, job.failed_at, job.finished_at) == (None,) * 4
        assert job.cancel_requested is False

    def test_times_come_back_in_utc(self, driven: Driven) -> None:
        berlin = timezone(timedelta(hours=2))
        job = driven.reread(driven.add(run_at=datetime(2031, 5, 1, 14, 30, tzinfo=berlin)))
        assert job.run_at.isoformat() == "2031-05-01T12:30:00+00:00"

    def test_far_times_and_long_texts_are_kept(self, driven: Driven) -> None:
        far = datetime.max.replace(tzinfo=driven.clock.now.tzinfo)
        job = driven.reread(driven.add(run_at=far, handler="x" * 1_000_000))
        assert (job.run_at, len(job.handler)) == (far, 1_000_000)

    def test_times_before_1970_are_kept(self, driven: Driven) -> None:
        early = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=driven.clock.now.tzinfo)
        assert driven.reread(driven.add(run_at=early)).run_at == early

    def test_a_blocked_job_is_stored_and_waits(self, driven: Driven) -> None:
        job = driven.add(state=State.BLOCKED)
        assert driven.reread(job).state is State.BLOCKED
        assert driven.worker().claimed_ids() == []

    def test_many_jobs_are_stored_at_once(self, driven: Driven) -> None:
        jobs = [new_job(driven.clock.now) for _ in range(1_500)]
        driven.enqueue(jobs)
        assert driven.count(EVERY_STATE) == 1_500
        assert driven.get(jobs[-1].id) == jobs[-1]

    def test_no_jobs_are_no_work(self, driven: Driven) -> None:
        driven.enqueue([])
        assert driven.count(EVERY_STATE) == 0

    def test_what_is_stored_is_a_copy(self, driven: Driven) -> None:
        job = driven.add(queue="mail")
        job.queue = "changed"
        read = driven.reread(job)
        read.priority = 99
        assert (driven.reread(job).queue, driven.reread(job).priority) == ("mail", 0)

    def test_what_ties_a_job_to_a_process_is_not_stored(self, driven: Driven) -> None:
        job = driven.add(is_duplicate=True, cached_payload="payload")
        read = driven.reread(job)
        assert (read.is_duplicate, read.cached_payload, read.reader, read.handle) == (False, None, None, None)

    def test_an_enqueue_may_be_repeated(self, driven: Driven) -> None:
        job_id = new_id()
        driven.add(id=job_id, queue="first")
        again = driven.add(id=job_id, queue="second")
        assert driven.count(EVERY_STATE) == 1
        assert driven.reread(again).queue == "first"

    def test_a_repeated_enqueue_stores_what_is_new(self, driven: Driven) -> None:
        first, second = driven.add(), new_job(driven.clock.now)
        driven.enqueue([first, second, second])
        assert driven.count(EVERY_STATE) == 2

    def test_a_repeated_enqueue_does_not_disturb_a_running_job(self, driven: Driven) -> None:
        running = driven.add_running()
        driven.enqueue([new_job(id=running.id)])
        assert driven.reread(running) == running

    def test_a_repeated_enqueue_does_not_bring_back_a_job_that_has_ended(self, driven: Driven) -> None:
        running = driven.add_running()
        driven.settle([ended(running, Move.FINISH)])
        driven.enqueue([new_job(id=running.id)])
        assert driven.reread(running).state is State.SUCCEEDED
        assert driven.count(EVERY_STATE) == 1

    def test_nor_does_one_of_several_jobs(self, driven: Driven) -> None:
        running, other = driven.add_running(), new_job(driven.clock.now)
        driven.settle([ended(running, Move.FINISH)])
        driven.enqueue([new_job(id=running.id), other])
        assert driven.reread(running).state is State.SUCCEEDED
        assert driven.reread(other) == other
        assert driven.count(EVERY_STATE) == 2

    def test_progress_is_kept_while_a_job_runs(self, driven: Driven) -> None:
        job = driven.add_running()
        assert driven.report_progress(job.id, job.lease, Progress(3, 10.5, "drei"))
        assert driven.reread(job).progress == Progress(3, 10.5, "drei")

    def test_progress_may_leave_parts_open(self, driven: Driven) -> None:
        job = driven.add_running()
        driven.report_progress(job.id, job.lease, Progress(0.25, None, None))
        assert driven.reread(job).progress == Progress(0.25, None, None)
