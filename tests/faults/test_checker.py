"""The checker finds what it is there to find: a run for each promise, in which it is broken, and runs that are good."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker import BY_CRASHES, CHECKS, Row, check
from tests.faults.history import ClaimDetail, Event, History
from tests.servers.keeping import ROOT

JOB = "j1"


class Tale:
    """A history that a test makes up, a second from event to event."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.rows: list[Row] = []

    def tell(self, kind: str, lease: int = 0, detail: str = "", *, job: str = JOB) -> Tale:
        at = float(len(self.events) + 1)
        self.events.append(Event(at, at, 7, kind, job, lease, detail))
        return self

    def enqueued(self, job: str = JOB) -> Tale:
        return self.tell("enqueuing", job=job).tell("enqueued", job=job)

    def claimed(
        self, lease: int, job: str = JOB, *, seats: int = 1, run_at: int = 0, index: int = 0, sent: float | None = None
    ) -> Tale:
        sent = len(self.events) + 0.5 if sent is None else sent
        return self.tell("claimed", lease, str(ClaimDetail(seats, 0, run_at, index, sent)), job=job)

    def performed(self, lease: int, how: str = "ok") -> Tale:
        return self.claimed(lease).tell("started", lease).tell("ended", lease, how)

    def settled(self, lease: int, move: str, kind: str = "applied") -> Tale:
        return self.tell(kind, lease, f"{move} {len(self.events) + 0.5}")

    def fault(self, kind: str, job: str = "-") -> Tale:
        return self.tell("fault", 7, kind, job=job)

    def row(self, state: str, **fields: Any) -> Tale:
        self.rows.append(Row(JOB, state)._replace(**fields))
        return self

    @property
    def broken(self) -> set[str]:
        return set(check(self.events, self.rows).wrong)


def succeeded() -> Tale:
    return Tale().enqueued().performed(1).settled(1, "finish").row("succeeded")


GOOD = {
    "a job that succeeds": succeeded(),
    "one whose enqueuer never heard that it was stored": Tale()
    .tell("enqueuing")
    .performed(1)
    .settled(1, "finish")
    .row("succeeded"),
    "one that was never stored": Tale().tell("enqueuing"),
    "one whose transaction was rolled back": Tale().tell("enqueuing").tell("withdrawn"),
    "one that is performed again after a kill": Tale()
    .enqueued()
    .performed(1)
    .fault("kill")
    .performed(2)
    .settled(2, "finish")
    .row("succeeded", crashes=1),
    "one whose first worker stood still and was refused": Tale()
    .enqueued()
    .claimed(1)
    .tell("started", 1)
    .fault("stop")
    .performed(2)
    .settled(2, "finish")
    .tell("ended", 1, "ok")
    .settled(1, "finish", "refused")
    .row("succeeded", crashes=1),
    "one whose first worker stood still before it read that it has the job": Tale()
    .enqueued()
    .fault("stop")
    .claimed(2)
    .tell("started", 2)
    .claimed(1, sent=2.5)
    .tell("ended", 2, "ok")
    .settled(2, "finish")
    .settled(1, "release", "refused")
    .row("succeeded", crashes=1),
    "one that fails and is tried again": Tale()
    .enqueued()
    .performed(1, "failed")
    .settled(1, "retry")
    .performed(2)
    .settled(2, "finish")
    .row("succeeded", attempts=1),
    "one whose retry was applied though its worker never heard of it": Tale()
    .enqueued()
    .performed(1, "failed")
    .settled(1, "retry", "unanswered")
    .fault("kill")
    .performed(2)
    .settled(2, "finish")
    .row("succeeded", attempts=1),
    "one that gives up": Tale().enqueued().performed(1, "gave up").settled(1, "fail").row("failed", attempts=1),
    "one that fails too often": Tale()
    .enqueued()
    .performed(1, "failed")
    .settled(1, "fail")
    .row("failed", attempts=1, max_attempts=1),
    "one that kills three workers": Tale()
    .enqueued()
    .claimed(1)
    .tell("started", 1)
    .fault("kill", JOB)
    .claimed(2)
    .tell("started", 2)
    .fault("kill", JOB)
    .claimed(3)
    .tell("started", 3)
    .fault("kill", JOB)
    .row("failed", crashes=3, error=f"{BY_CRASHES}: 3 workers were lost"),
}

BAD = {
    "lost": Tale().enqueued(),
    "unexpected": Tale().tell("enqueuing").tell("withdrawn").row("succeeded"),
    "in two places": succeeded().row("failed", attempts=1, max_attempts=1),
    "double finish": succeeded().fault("stop").performed(2).settled(2, "finish"),
    "double settlement": Tale()
    .enqueued()
    .performed(1, "failed")
    .settled(1, "retry")
    .settled(1, "retry")
    .performed(2)
    .settled(2, "finish")
    .row("succeeded", attempts=2),
    "stale finish": Tale()
    .enqueued()
    .performed(1)
    .fault("stop")
    .claimed(2)
    .settled(1, "finish")
    .row("succeeded", crashes=1),
    "overlap": Tale()
    .enqueued()
    .claimed(1)
    .tell("started", 1)
    .performed(2)
    .settled(2, "finish")
    .tell("ended", 1, "ok")
    .settled(1, "finish", "refused")
    .row("succeeded"),
    "attempts": Tale()
    .enqueued()
    .performed(1, "failed")
    .settled(1, "retry")
    .performed(2)
    .settled(2, "finish")
    .row("succeeded", attempts=0),
    "crashes": Tale().enqueued().performed(1).settled(1, "finish").row("succeeded", crashes=1),
    "phantom failure": Tale().enqueued().performed(1).settled(1, "fail", "unanswered").row("failed", attempts=1),
    "left": Tale().enqueued().row("running"),
    "order": succeeded()
    .enqueued("j0")
    .claimed(1, "j0", run_at=5, index=1)
    .claimed(1, "j2", run_at=4, index=2)
    .enqueued("j2"),
}

ALSO_BAD = {
    "a job that is called performed, and was not": (Tale().enqueued().claimed(1).row("succeeded"), {"lost"}),
    "one that nobody has made": (Tale().performed(1), {"unexpected"}),
    "more attempts than it may have": (
        Tale()
        .enqueued()
        .performed(1, "failed")
        .settled(1, "retry")
        .performed(2, "failed")
        .settled(2, "fail")
        .row("failed", attempts=2, max_attempts=1),
        {"attempts"},
    ),
    "one that goes on killing workers": (
        Tale()
        .enqueued()
        .tell("started", 1)
        .fault("kill", JOB)
        .tell("started", 2)
        .fault("kill", JOB)
        .tell("started", 3)
        .fault("kill", JOB)
        .tell("started", 4)
        .fault("kill", JOB)
        .row("failed", crashes=3, error=BY_CRASHES),
        {"crashes"},
    ),
    "one that is given up after too few crashes": (
        Tale()
        .enqueued()
        .tell("started", 1)
        .fault("kill")
        .row("failed", crashes=1, error=f"{BY_CRASHES}: 3 workers were lost"),
        {"phantom failure"},
    ),
    "one that is begun in another order than it was claimed": (
        succeeded().enqueued("j0").claimed(1, "j0", run_at=-1).tell("started", 1, job="j0"),
        {"order"},
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_run_is_called_good(name: str) -> None:
    assert GOOD[name].broken == set()


@pytest.mark.parametrize("column", BAD)
def test_every_column_finds_what_it_is_for(column: str) -> None:
    assert column in BAD[column].broken


@pytest.mark.parametrize("name", ALSO_BAD)
def test_other_ways_to_break_a_promise_are_found(name: str) -> None:
    tale, broken = ALSO_BAD[name]
    assert broken <= tale.broken


def test_every_column_has_its_control() -> None:
    assert {name for name, _ in CHECKS} | {"order"} == set(BAD)


def test_what_is_allowed_is_counted() -> None:
    tale = GOOD["one whose first worker stood still and was refused"]
    counts = check(tale.events, tale.rows).counts
    assert (counts["jobs"], counts["repeated"], counts["refused"], counts["succeeded"]) == (1, 1, 1, 1)
    recovered = GOOD["one whose enqueuer never heard that it was stored"]
    assert check(recovered.events, recovered.rows).counts["recovered"] == 1


def test_a_verdict_tells_what_the_job_went_through() -> None:
    tale = BAD["stale finish"]
    assert "claimed 2" in check(tale.events, tale.rows).wrong["stale finish"][0]


def test_a_history_survives_the_death_of_those_who_write_it(tmp_path: Path) -> None:
    code = """
import os, sys
from tests.faults.history import History
history = History(sys.argv[1])
history.note("started", "j1", 3)
child = os.fork()
history.note("ended", "j1", 3, "ok")
if child:
    os.waitpid(child, 0)
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, cwd=ROOT, timeout=30)
    (tmp_path / "9.history").write_text("1.0 1.0 9 started j2 0 \n1.5 1.5 9 ended j")
    told = [(event.kind, event.job, event.lease, event.detail) for event in History(tmp_path).events()]
    assert done.returncode == -9
    assert told.count(("ended", "j1", 3, "ok")) == 2
    assert ("started", "j2", 0, "") in told
    assert len(told) == 4
    assert len({event.pid for event in History(tmp_path).events()}) == 3
