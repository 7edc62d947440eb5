"""Tests with one inline job each, beside tests that call the function: what the fixtures of each test take."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

from benchmarks.measure import Rates, alternating
from benchmarks.plugin.in_a_child import in_a_child, run_pytest
from benchmarks.plugin.stores import MOST, STORES
from benchmarks.plugin.suites import suite
from benchmarks.results import Result, line

CONFTEST = """
import pytest
from backburner import Backburner

@pytest.fixture
def backburner_app(backburner_clock):
    with Backburner({url!r}, clock=backburner_clock, allow=["benchmarks"]) as app:
        yield app
"""

HEAD = """
import pytest
from benchmarks import jobs

pytestmark = pytest.mark.backburner(mode="inline")
"""


def beside_tests_without(count: int, turns: int) -> Iterator[Result]:
    """Yield a line for each store."""
    for store, url in STORES.items():
        name = f"{count:,} tests with an inline job each, {store}"
        yield _line(name, *_measured(count, turns, CONFTEST.format(url=url)))


def _measured(count: int, turns: int, conftest: str) -> tuple[Rates, Rates]:
    """Return how many seconds the tests with jobs took, and those without."""
    with (
        suite(count, head=HEAD, body="assert jobs.noop.delay(1).state == 'succeeded'", conftest=conftest) as ours,
        suite(count, head="from benchmarks import jobs\n", body="assert jobs.noop(1) is None") as floor,
    ):
        own, other = alternating(
            lambda: in_a_child(seconds_to_run, ours), lambda: in_a_child(seconds_to_run, floor), rounds=turns
        )
    return own, other


def seconds_to_run(folder: Path) -> float:
    """Return the processor time that the tests in a folder take, with the plugin."""
    import backburner_pytest

    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        began = time.process_time()
        run_pytest(str(folder), plugins=[backburner_pytest])
        return time.process_time() - began


def _line(name: str, ours: Rates, floor: Rates) -> Result:
    added = ours.beyond(floor)
    compared = f"{floor.median * 1000:.0f} ms: as many tests that call the function"
    return line(name, f"{added * 1000:+.0f} ms", (MOST, added), compared=compared)
