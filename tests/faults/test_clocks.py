"""The clocks of machines are off by hours: it is the clock of the database that decides.

Not for SQLite, where all processes are on one machine, whose clock is the database's.
"""

from __future__ import annotations

from datetime import timedelta
from signal import SIGTERM

import pytest

from backburner import State
from tests.faults import jobs
from tests.faults.conftest import FIXTURES
from tests.faults.place import TO_BE_DONE, Place

HOURS = 3 * 3600.0
LATER = timedelta(hours=1)
"""When a worker that is ahead would begin."""


@pytest.mark.parametrize("url", FIXTURES, indirect=True)
def test_workers_and_enqueuers_whose_clocks_are_off(place: Place) -> None:
    later = place.enqueue([lambda: jobs.work.options(run_at=LATER).delay()] * 3)
    workers = [place.start("work", clock_is_off_by=off) for off in (HOURS, -HOURS)]
    enqueuers = [place.start("enqueue", number=20, clock_is_off_by=off) for off in (HOURS, -HOURS)]
    place.enqueue([lambda: jobs.fail_at_first.delay(1), lambda: jobs.work_for.delay(1.5)] * 4)
    assert [enqueuer.wait() for enqueuer in enqueuers] == [0, 0]
    place.wait_until(lambda: place.count(TO_BE_DONE) == len(later), "all that is due was done")
    for worker in workers:
        worker.send(SIGTERM)
        assert worker.wait() == 0
    verdict = place.verdict()
    waiting = {str(job.id) for job in later}
    assert {column for column in verdict.wrong if column != "left"} == set()
    assert {story.partition(":")[0] for story in verdict.columns["left"]} == waiting
    assert (verdict.counts["succeeded"], verdict.counts["repeated"]) == (48, 0)
    assert all(place.app.jobs.get(job.id).state is State.QUEUED for job in later)
