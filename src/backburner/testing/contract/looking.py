"""What may be looked at."""

# ruff: noqa: S101 # tests are made of assert
from __future__ import annotations

from datetime import timedelta

import pytest

from backburner.core.lifecycle import Move, State
from backburner.core.ports import JobFilter, QueueInfo
from backburner.testing.contract.driving import EVERY_STATE, Contract, Driven, ended, new_id


class LookContract(Contract):
    """`get`, `find`, `count`, `oldest_due` and `queues`."""

    def test_an_unknown_id_gives_nothing(self, driven: Driven) -> None:
        assert driven.get(new_id()) is None

    def test_jobs_come_by_creation(self, driven: Driven) -> None:
        jobs = [driven.add(priority=-number) for number in range(5)]
        assert driven.find(JobFilter()) == jobs
        assert driven.find(JobFilter(), newest_first=True) == jobs[::-1]

    def test_jobs_come_in_pages(self, driven: Driven) -> None:
        jobs = [driven.add() for _ in range(5)]
        assert driven.find(JobFilter(), limit=2) == jobs[:2]
        assert driven.find(JobFilter(), after=jobs[1].id, limit=2) == jobs[2:4]
        assert driven.find(JobFilter(), after=jobs[3].id, limit=2) == jobs[4:]
        assert driven.find(JobFilter(), after=jobs[4].id) == []
        assert driven.find(JobFilter(), after=jobs[3].id, limit=2, newest_first=True) == jobs[2:0:-1]

    def test_a_page_begins_behind_an_id_that_is_not_there(self, driven: Driven) -> None:
        first, gap, second = driven.add(), new_id(), driven.add()
        assert driven.find(JobFilter(), after=gap) == [second]
        assert driven.find(JobFilter(), after=gap, newest_first=True) == [first]

    def test_live_jobs_and_history_come_in_one_order(self, driven: Driven) -> None:
        jobs = [driven.add() for _ in range(6)]
        for job in jobs[::2]:
            driven.cancel(job.id)
        assert [job.id for job in driven.find(EVERY_STATE)] == [job.id for job in jobs]
        middle = driven.find(EVERY_STATE, after=jobs[1].id, limit=3)
        assert [job.state for job in middle] == [State.CANCELLED, State.QUEUED, State.CANCELLED]
        newest = driven.find(EVERY_STATE, limit=3, newest_first=True)
        assert [job.id for job in newest] == [job.id for job in jobs[:2:-1]]

    def test_history_is_not_meant_unless_it_is_named(self, driven: Driven) -> None:
        in_every_state(driven)
        assert {job.state for job in driven.find(JobFilter())} == set(State) - {State.SUCCEEDED, State.CANCELLED}
        assert driven.count(JobFilter()) == 4
        assert driven.count(EVERY_STATE) == 6

    @pytest.mark.parametrize("state", list(State))
    def test_one_state_is_found(self, driven: Driven, state: State) -> None:
        in_every_state(driven)
        which = JobFilter(states=frozenset({state}))
        assert [job.state for job in driven.find(which)] == [state]
        assert driven.count(which) == 1

    def test_no_state_is_no_job(self, driven: Driven) -> None:
        in_every_state(driven)
        nothing = JobFilter(states=frozenset())
        assert (driven.find(nothing), driven.count(nothing)) == ([], 0)
        assert (driven.delete_all(nothing), driven.requeue_all(nothing)) == (0, 0)

    @pytest.mark.parametrize(
        ("which", "number"),
        [
            (JobFilter(queue="mail"), 2),
            (JobFilter(queue="mai_"), 0),
            (JobFilter(name="User.activate"), 2),
            (JobFilter(priority=5), 1),
            (JobFilter(tag="tenant:1"), 2),
            (JobFilter(tag="tenant"), 0),
            (JobFilter(tag='"'), 1),
            (JobFilter(queue="mail", tag="tenant:1"), 1),
            (JobFilter(queue="mail", name="User.activate", priority=5, tag="vip"), 1),
            (JobFilter(queue="' OR 1=1 --"), 0),
        ],
    )
    def test_every_part_of_a_filter_must_fit(self, driven: Driven, which: JobFilter, number: int) -> None:
        driven.add(queue="mail", name="User.activate", priority=5, tags=("tenant:1", "vip"))
        driven.add(queue="mail", tags=('"',))
        driven.add(name="User.activate", tags=("tenant:1",))
        driven.add(tags=("tenant:11",))
        assert driven.count(which) == len(driven.find(which)) == number

    def test_due_before_means_queued_jobs_alone(self, driven: Driven) -> None:
        now = driven.clock.now
        in_every_state(driven)
        early = driven.add(run_at=now - timedelta(seconds=1))
        assert driven.find(JobFilter(due_before=now)) == [early]
        assert driven.count(JobFilter(due_before=now + timedelta(seconds=1))) == 2
        assert driven.count(JobFilter(due_before=now, states=frozenset({State.RUNNING, State.CANCELLED}))) == 0

    def test_the_job_that_has_been_due_longest_is_found(self, driven: Driven) -> None:
        now = driven.clock.now
        driven.add(run_at=now - timedelta(seconds=5), queue="mail")
        oldest = driven.add(run_at=now - timedelta(seconds=9), priority=9)
        driven.add(run_at=oldest.run_at)
        driven.worker().take(driven.add(run_at=now - timedelta(seconds=99)))
        assert driven.oldest_due(JobFilter()) == oldest
        assert driven.oldest_due(JobFilter(queue="mail")).queue == "mail"

    def test_a_job_of_the_future_is_not_due(self, driven: Driven) -> None:
        job = driven.add(run_at=driven.clock.now + timedelta(seconds=1))
        assert driven.oldest_due(JobFilter()) is None
        driven.clock.advance(1)
        assert driven.oldest_due(JobFilter()) == job

    def test_queues_are_counted_by_state(self, driven: Driven) -> None:
        in_every_state(driven)
        early = driven.add(queue="mail", run_at=driven.clock.now - timedelta(seconds=3), priority=9)
        driven.add(queue="mail", run_at=early.run_at + timedelta(seconds=1))
        driven.add(queue="later", run_at=driven.clock.now + timedelta(seconds=1))
        live = dict.fromkeys((State.QUEUED, State.RUNNING, State.BLOCKED, State.FAILED), 1)
        assert driven.queues() == [
            QueueInfo("default", False, live, driven.clock.now),
            QueueInfo("later", False, {State.QUEUED: 1}, None),
            QueueInfo("mail", False, {State.QUEUED: 2}, early.run_at),
        ]

    def test_a_paused_queue_is_seen_even_when_it_is_empty(self, driven: Driven) -> None:
        driven.add(queue="mail")
        driven.pause("mail")
        driven.pause("empty")
        driven.pause("resumed")
        driven.resume("resumed")
        assert driven.queues() == [
            QueueInfo("empty", True),
            QueueInfo("mail", True, {State.QUEUED: 1}, driven.clock.now),
        ]

    def test_a_store_without_jobs_has_nothing_to_show(self, driven: Driven) -> None:
        assert (driven.queues(), driven.workers(), driven.find(EVERY_STATE)) == ([], [], [])
        assert (driven.count(EVERY_STATE), driven.oldest_due(JobFilter())) == (0, None)


def in_every_state(driven: Driven) -> None:
    """Store one job in each state."""
    driven.add()
    driven.add(state=State.BLOCKED)
    driven.cancel(driven.add().id)
    for move in (Move.FINISH, Move.FAIL):
        driven.settle([ended(driven.add_running(), move, error=None)])
    driven.add_running()
