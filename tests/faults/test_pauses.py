"""A worker stands still for longer than its lease, and goes on: it changes nothing about the jobs that it has lost."""

from __future__ import annotations

from signal import SIGCONT, SIGSTOP, SIGTERM

import pytest

from tests.faults import jobs
from tests.faults.nursery import Child
from tests.faults.place import TO_BE_DONE, Place

POINTS = {
    "when it has claimed and not begun": "claimed:1:stop",
    "when it has performed and not settled": "claiming:2:stop",
    "when it has settled and does not know": "claimed:2:stop",
}


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_stands_still(place: Place, point: str) -> None:
    place.enqueue([jobs.work.delay] * 4)
    late = place.start("work", POINTS[point])
    place.wait_until(lambda: place.heard("fault", late), "it stands still")
    others_do_all_and_it_goes_on(place, late)
    late.send(SIGTERM)
    assert late.wait() == 0
    verdict = place.verdict()
    assert verdict.wrong == {}
    assert (verdict.faults, verdict.counts["succeeded"]) == ({"stop": 1}, 4)
    assert verdict.counts["repeated"] == (point == "when it has performed and not settled")
    assert verdict.counts["refused"] >= (point == "when it has performed and not settled")


def test_a_worker_that_stands_still_in_the_middle_of_a_job(place: Place) -> None:
    place.enqueue([lambda: jobs.work_for.delay(0.4)])
    late = place.start("work")
    place.wait_until(lambda: place.heard("started", late), "it has begun the job")
    place.history.note("fault", lease=late.pid, detail="stop")
    late.send(SIGSTOP)
    others_do_all_and_it_goes_on(place, late)
    place.wait_until(lambda: place.heard("ended", late), "the job has ended there as well")
    late.send(SIGTERM)
    assert late.wait() == 0
    verdict = place.verdict()
    assert verdict.wrong == {}
    assert verdict.counts["succeeded"] == 1
    assert verdict.counts["refused"] == 1


def others_do_all_and_it_goes_on(place: Place, late: Child) -> None:
    place.start("work")
    place.wait_until(lambda: not place.count(TO_BE_DONE), "others have done all")
    late.send(SIGCONT)
