"""The store fails a worker at each point, once: before what was asked for is done, or after. Nothing is done twice."""

from __future__ import annotations

from signal import SIGTERM

import pytest

from tests.faults import jobs
from tests.faults.place import TO_BE_DONE, Place

POINTS = (
    "registering",
    "registered",
    "claiming",
    "claimed",
    "settling",
    "settled",
    "checking in",
    "checked in",
)


@pytest.mark.parametrize("point", POINTS)
def test_a_store_that_fails_once(place: Place, point: str) -> None:
    makes = [jobs.work.delay, lambda: jobs.work_for.delay(0.4), jobs.work.delay, lambda: jobs.fail_at_first.delay(1)]
    place.enqueue(makes)
    time = 2 if point.startswith("claim") else 1
    check_that_all_is_done_once(place, f"{point}:{time}:raise", len(makes))


def test_a_job_that_takes_longer_than_the_lease(place: Place) -> None:
    """As long as its worker is heard of, nobody takes it."""
    place.enqueue([lambda: jobs.work_for.delay(2.2)])
    check_that_all_is_done_once(place, "", 1)


def check_that_all_is_done_once(place: Place, faults: str, number: int) -> None:
    workers = [place.start("work", faults)]
    place.wait_for("started" if not faults else "claimed", 1)
    workers.append(place.start("work"))
    place.wait_until(lambda: not place.count(TO_BE_DONE), "all was done")
    for worker in workers:
        worker.send(SIGTERM)
        assert worker.wait() == 0
    verdict = place.verdict()
    assert verdict.wrong == {}
    assert (verdict.counts["succeeded"], verdict.counts["repeated"]) == (number, 0)
