"""A short soak of each store: workers and enqueuers are killed and stopped, connections cut, servers killed."""

from __future__ import annotations

import pytest

from benchmarks.soak.ground import STORES
from benchmarks.soak.soak import soak
from tests.servers.finding import MYSQL, POSTGRES
from tests.servers.fixtures import skip_if_missing

SECONDS = 8.0
SEED = 20261126
SERVERS = {"postgres": POSTGRES, "mariadb": MYSQL}


@pytest.mark.parametrize("store", STORES)
@pytest.mark.timeout(180)
def test_nothing_is_lost_and_nothing_is_finished_twice(store: str) -> None:
    if store in SERVERS:
        skip_if_missing(SERVERS[store])
    outcome = soak(store, SECONDS, SEED, haste=5.0)
    assert outcome.verdict.wrong == {}
    assert outcome.missing == frozenset()
    assert outcome.verdict.counts["jobs"] > 500
    assert outcome.verdict.faults["kill"] > 10
