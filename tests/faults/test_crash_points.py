"""Workers are killed at each point of a job's life: every job is performed, and none is finished twice."""

from __future__ import annotations

from collections.abc import Callable
from signal import SIGKILL
from typing import Any

import pytest

from backburner import Job, State
from tests.faults import jobs
from tests.faults.place import TO_BE_DONE, Place

KILLED = -SIGKILL

FOUR = [jobs.work.delay] * 4
RETRIED = [lambda: jobs.fail_at_first.delay(1)] * 2
LONG_ONE = [jobs.work.delay, lambda: jobs.work_for.delay(0.6), jobs.work.delay, jobs.work.delay]
"""The second one keeps the third waiting, so that it is given back, and the first is settled while it runs."""

POINTS: dict[str, tuple[str, list[Callable[[], Job[Any]]]]] = {
    "before it is registered": ("registering:1:kill", FOUR),
    "when it is registered": ("registered:1:kill", FOUR),
    "before the first claim": ("claiming:1:kill", FOUR),
    "when jobs are claimed and nobody has read which": ("claimed:1:kill", FOUR),
    "when a job is performed and not settled": ("claiming:2:kill", FOUR),
    "when a job is settled, and others are claimed": ("claimed:2:kill", FOUR),
    "when jobs are performed and not settled": ("claiming:3:kill", FOUR),
    "when a retry is to be settled": ("claiming:2:kill", RETRIED),
    "when a retry is settled": ("claimed:2:kill", RETRIED),
    "before jobs are given back in the middle of another": ("settling:1:kill", LONG_ONE),
    "when jobs are given back in the middle of another": ("settled:1:kill", LONG_ONE),
    "before it checks in": ("checking in:2:kill", FOUR),
    "when it has checked in": ("checked in:2:kill", FOUR),
}


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_is_killed(place: Place, point: str) -> None:
    faults, makes = POINTS[point]
    place.enqueue(makes)
    assert place.start("work", faults).wait() == KILLED
    place.rescue()
    place.drain()
    check_all_done(place, len(makes))
    assert place.verdict().faults == {"kill": 1}


@pytest.mark.parametrize("point", ["retiring", "retired"])
def test_a_worker_that_is_killed_when_it_ends(place: Place, point: str) -> None:
    place.enqueue(FOUR)
    assert place.start("work_off", f"{point}:1:kill").wait() == KILLED
    check_all_done(place, len(FOUR))


@pytest.mark.parametrize("point", ["rescuing", "rescued"])
def test_a_rescuer_that_is_killed(place: Place, point: str) -> None:
    """What one leaves undone, the next one does."""
    place.enqueue(FOUR)
    assert place.start("work", "claimed:2:kill").wait() == KILLED
    assert place.start("work", f"{point}:1:kill").wait() == KILLED
    place.start("work")
    place.wait_until(lambda: not place.count(TO_BE_DONE), "all was done")
    check_all_done(place, len(FOUR))


def test_a_job_that_kills_its_workers(place: Place) -> None:
    """It runs three times, the last two alone, and the others are not held liable for it."""
    [poison] = place.enqueue([jobs.kill_worker.delay])
    place.enqueue(FOUR)
    deaths = 0
    while place.count(TO_BE_DONE):
        status = place.start("work_off").wait()
        deaths += status == KILLED
        place.rescue()
    assert deaths == 3
    verdict = place.verdict()
    assert verdict.wrong == {}
    assert (verdict.counts["succeeded"], verdict.counts["given up for crashes"]) == (len(FOUR), 1)
    assert place.app.jobs.get(poison.id).state is State.FAILED


def check_all_done(place: Place, number: int) -> None:
    verdict = place.verdict()
    assert verdict.wrong == {}
    assert verdict.counts["succeeded"] == number
