"""A request or a reply is lost on the way to a server and back: what was asked for is done, and done once."""

from __future__ import annotations

from collections.abc import Callable
from signal import SIGTERM

import pytest

from backburner.app import use
from tests.faults import jobs
from tests.faults.conftest import FIXTURES
from tests.faults.place import TO_BE_DONE, Place
from tests.servers.proxy import Proxy

pytestmark = pytest.mark.parametrize("url", FIXTURES, indirect=True)

WAYS = ("lose_request", "lose_reply")
ENQUEUE = b"INSERT INTO backburner_jobs"
FINISH = b"INSERT INTO backburner_finished"
CLAIMS = {"postgresql": b"SET state = 'running'", "mysql": b"backburner_running"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("message", ["claim", "finish", "retry"])
def test_of_a_worker(place: Place, proxy_to: Callable[[str], Proxy], way: str, message: str) -> None:
    proxy = proxy_to(place.url)
    kind = place.url.partition("://")[0]
    pattern = {"claim": CLAIMS[kind], "finish": FINISH, "retry": b"attempts = attempts +"}[message]
    makes = [lambda: jobs.fail_at_first.delay(1)] if message == "retry" else [jobs.work.delay] * 6
    place.enqueue(makes)
    loss = getattr(proxy, way)(pattern)
    worker = place.start("work", url=proxy.legible_url)
    loss.wait()
    place.wait_until(lambda: not place.count(TO_BE_DONE), "all was done")
    worker.send(SIGTERM)
    assert worker.wait() == 0
    verdict = place.verdict()
    assert verdict.wrong == {}
    assert (verdict.counts["succeeded"], verdict.counts["repeated"]) == (len(makes), 0)


@pytest.mark.parametrize("way", WAYS)
def test_of_an_enqueuer(place: Place, proxy_to: Callable[[str], Proxy], way: str) -> None:
    """A job is there once, whether its enqueuer hears of that or not."""
    proxy = proxy_to(place.url)
    with place.another_app(proxy.legible_url) as app, use(app):
        for _ in range(3):
            loss = getattr(proxy, way)(ENQUEUE)
            place.enqueue([jobs.work.delay] * 2)
            loss.wait()
    stored = place.count(TO_BE_DONE)
    place.drain()
    verdict = place.verdict()
    assert verdict.wrong == {}
    assert verdict.counts["succeeded"] == stored == verdict.counts["jobs"] + verdict.counts["recovered"] == 6
