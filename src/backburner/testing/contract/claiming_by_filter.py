"""Which jobs a worker does not want, or may not have."""

# ruff: noqa: S101 # tests are made of assert
from __future__ import annotations

from datetime import timedelta

from backburner.testing.contract.driving import Contract, Driven


class ClaimFilterContract(Contract):
    """The filters of `claim`, `pause` and `resume`."""

    def test_only_the_queues_asked_for_are_served(self, driven: Driven) -> None:
        mail, images, _ = (driven.add(queue=queue).id for queue in ("mail", "images", "default"))
        assert driven.worker().claimed_ids(queues=("images", "mail", "mail", "nobody's")) == [mail, images]

    def test_no_queue_at_all_is_served_when_none_is_asked_for(self, driven: Driven) -> None:
        driven.add()
        assert driven.worker().claim(queues=()) == ([], [], None)

    def test_excluded_queues_are_not_served(self, driven: Driven) -> None:
        driven.add(queue="mail")
        default = driven.add().id
        assert driven.worker().claimed_ids(exclude=("mail",)) == [default]

    def test_excluding_wins_over_asking(self, driven: Driven) -> None:
        driven.add(queue="mail")
        assert driven.worker().claimed_ids(queues=("mail",), exclude=("mail",)) == []

    def test_names_of_queues_are_taken_as_they_are(self, driven: Driven) -> None:
        odd = ["", "MAIL", "ma%il", "ma'il", 'ma"il', "mä il", "mail\n", "[1]"]
        jobs = {queue: driven.add(queue=queue).id for queue in odd}
        driven.add(queue="mail")
        for queue in odd:
            assert driven.worker().claimed_ids(queues=(queue,)) == [jobs[queue]]

    def test_priorities_are_bounded_on_both_sides_both_included(self, driven: Driven) -> None:
        ids = {priority: driven.add(priority=priority).id for priority in range(-3, 4)}
        bounded = driven.worker().claimed_ids(min_priority=-1, max_priority=1)
        assert bounded == [ids[-1], ids[0], ids[1]]
        assert driven.worker().claimed_ids(max_priority=-3) == [ids[-3]]
        assert driven.worker().claimed_ids(min_priority=3) == [ids[3]]

    def test_jobs_that_do_not_fit_say_nothing_about_the_next_time(self, driven: Driven) -> None:
        soon = driven.clock.now + timedelta(seconds=5)
        for fields in ({"queue": "mail"}, {"queue": "paused"}, {"priority": 9}):
            driven.add(run_at=soon, **fields)
        driven.pause("paused")
        fitting = driven.add(run_at=soon + timedelta(seconds=5))
        assert driven.worker().claim(exclude=("mail",), max_priority=0).next_due == fitting.run_at

    def test_a_paused_queue_keeps_its_jobs_until_it_is_resumed(self, driven: Driven) -> None:
        job = driven.add(queue="mail")
        driven.pause("mail")
        assert driven.worker().claim() == ([], [], None)
        assert driven.worker().claim(queues=("mail",)) == ([], [], None)
        driven.resume("mail")
        assert driven.worker().claimed_ids() == [job.id]

    def test_a_queue_may_be_paused_between_two_claims(self, driven: Driven) -> None:
        first, second = driven.add(), driven.add()
        worker = driven.worker()
        assert worker.claimed_ids(limit=1) == [first.id]
        driven.pause("default")
        assert worker.claim(limit=1) == ([], [], None)
        driven.resume("default")
        assert worker.claimed_ids(limit=1) == [second.id]

    def test_pausing_and_resuming_may_be_repeated(self, driven: Driven) -> None:
        job = driven.add()
        for change in (driven.pause, driven.pause, driven.resume, driven.resume):
            change("default")
        driven.resume("never paused")
        assert driven.worker().claimed_ids() == [job.id]

    def test_a_paused_queue_does_not_hold_up_another(self, driven: Driven) -> None:
        driven.add(queue="mail", priority=-9)
        driven.pause("mail")
        job = driven.add()
        assert driven.worker().claimed_ids() == [job.id]

    def test_many_queues_and_priorities_are_all_served(self, driven: Driven) -> None:
        jobs = [driven.add(queue=f"tenant{tenant}", priority=tenant % 3) for tenant in range(40)]
        expected = [job.id for job in sorted(jobs, key=lambda job: (job.priority, job.id))]
        assert driven.worker().claimed_ids() == expected
