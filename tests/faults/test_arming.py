"""Fault points do nothing until a test says so; then what it said happens, at the time it said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import get_args

import pytest

from backburner import StoreUnavailable
from backburner.core import faults
from backburner.core.faults import Point
from tests.faults.arming import VARIABLE, Plan, arm_from_environment, parse
from tests.servers.keeping import ROOT

HIT = re.compile(r'faults\.hit\("([^"]+)"\)')


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    faults.disarm()


def test_every_point_is_reached_somewhere_and_no_other_is() -> None:
    reached = [point for path in (ROOT / "src").rglob("*.py") for point in HIT.findall(path.read_text())]
    assert sorted(reached) == sorted(get_args(Point))


def test_nothing_happens_unless_the_environment_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    before = faults.hit
    arm_from_environment()
    assert faults.hit is before
    faults.hit("claimed")


def test_it_happens_at_the_time_that_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "claimed:2:raise,settling:1+:raise")
    arm_from_environment()
    faults.hit("claimed")
    with pytest.raises(StoreUnavailable, match="at 'claimed'"):
        faults.hit("claimed")
    faults.hit("claimed")
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="at 'settling'"):
            faults.hit("settling")
    faults.disarm()
    faults.hit("settling")


@pytest.mark.parametrize(
    ("text", "said"), [("nowhere:1:kill", "expected a fault point"), ("claimed:1:explode", "expected one of kill")]
)
def test_what_cannot_be_done_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Plan(text)


def test_a_fault_is_read() -> None:
    assert parse("checking in:3+:stop") == ("checking in", 3, True, "stop")
