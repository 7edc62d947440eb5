"""A server is killed and started again while processes enqueue and perform: nothing is lost, nothing is done twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from signal import SIGTERM
from typing import Any

import pytest

from tests.faults import jobs
from tests.faults.nursery import Nursery
from tests.faults.place import TO_BE_DONE, Place

SETTINGS = {"lease": 4.0, "heartbeat": 0.5}
"""A lease outlasts the restart of a server."""


@pytest.fixture(params=["private_postgres", "private_mysql"])
def server(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture
def place(server: Any, nursery: Nursery, folder: Path) -> Iterator[Place]:
    with server.fresh_database() as url, Place(url, nursery, folder) as place:
        yield place


def test_a_server_that_is_killed_again_and_again(place: Place, server: Any) -> None:
    place.enqueue([lambda: jobs.work_for.delay(0.05)] * 60)
    workers = [place.start("work", settings=SETTINGS) for _ in range(2)]
    for ended in (5, 25):
        place.wait_for("ended", ended)
        place.history.note("fault", detail="server")
        server.kill()
        server.start()
    enqueuer = place.start("enqueue", number=20)
    assert enqueuer.wait() == 0
    place.wait_until(lambda: not place.count(TO_BE_DONE), "all was done")
    for worker in workers:
        worker.send(SIGTERM)
        assert worker.wait() == 0
    verdict = place.verdict()
    assert verdict.wrong == {}
    assert (verdict.counts["succeeded"], verdict.counts["repeated"]) == (80, 0)
    assert verdict.faults == {"server": 2}
