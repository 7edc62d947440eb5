"""The parts of a supervisor, each by itself."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backburner import Backburner
from backburner.core.errors import ConfigurationError
from backburner.worker.page import Page
from backburner.worker.station import LAST, jobs_share_of
from backburner.worker.supervision import Pool, supervise
from backburner.worker.supervision.backoff import FIRST, HEALTHY, LONGEST, Backoff
from backburner.worker.supervision.launching import Child
from backburner.worker.supervision.liveness import PATIENCE, SLACK, Liveness
from backburner.worker.supervision.orders import Orders
from backburner.worker.supervision.places import Place
from backburner.worker.supervision.watching import BLINK, Watchman
from tests.worker.supervision.support import ROOT

LEASE, HEARTBEAT = 30.0, 10.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail:2", Pool(2, ("mail",))),
        ("mail,default:3", Pool(3, ("mail", "default"))),
        ("mail", Pool(1, ("mail",))),
        ("*:4", Pool(4)),
        ("*", Pool(1)),
        (":2", Pool(2)),
        ("tenant:1:2", Pool(2, ("tenant:1",))),
    ],
)
def test_pools_are_written_as_delayed_job_writes_them(text: str, expected: Pool) -> None:
    assert Pool.parse(text) == expected
    assert Pool.parse(str(expected)) == expected


@pytest.mark.parametrize("text", ["mail:0", "mail:x", "mail:-1", "a,,b:1", "mail:"])
def test_a_pool_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="^pool: expected "):
        Pool.parse(text)


def test_crashes_are_waited_for_ever_longer_until_all_is_well() -> None:
    backoff = Backoff()
    assert [backoff.after_crash(1.0) for _ in range(7)] == [FIRST, 2, 4, 8, 16, LONGEST, LONGEST]
    assert [backoff.after_crash(lived) for lived in (HEALTHY, 1.0)] == [FIRST, 2]
    backoff.reset()
    assert backoff.after_crash(1.0) == FIRST


@pytest.mark.parametrize(("grace", "share"), [(25.0, 25.0 - LAST), (4.0, 2.0), (0.0, 0.0)])
def test_jobs_are_interrupted_in_time_for_the_worker_to_end_within_the_grace(grace: float, share: float) -> None:
    assert jobs_share_of(grace) == share


class Made:
    """A process that does nothing, at a place, and time that passes as a test wants."""

    def __init__(self) -> None:
        self.killed = False
        self.page = Page(2)
        self.place = Place(0, Pool())
        self.now = 1000.0
        self.page.pulse_at = self.now
        self.place.settle(Child(Immortal(self), self.page, Orders(), self.now))
        self.watchman = Watchman(timedelta(seconds=HEARTBEAT), timedelta(seconds=LEASE))

    def look(self, seconds: float, *, has_pulse: bool = False) -> list[Page]:
        """Let time pass, with looks as often as there are any, and return what the last one gave."""
        silent: list[Page] = []
        until = self.now + seconds
        while self.now < until:
            self.now = min(self.now + self.watchman.every, until)
            if has_pulse:
                self.page.pulse_at = self.now
            silent = self.watchman.look([self.place], self.now)
        return silent

    @property
    def reason(self) -> str | None:
        return self.place.killed_because


class Immortal:
    """Stands for a process; there is none of this number."""

    def __init__(self, made: Made) -> None:
        self.pid = 2**22 + 1

    def poll(self) -> int | None:
        return None


def test_who_has_a_pulse_beats_for_itself() -> None:
    made = Made()
    assert made.look(100.0, has_pulse=True) == []
    assert made.reason is None


def test_the_supervisor_beats_for_who_has_none_before_the_lease_can_end() -> None:
    made = Made()
    made.page.deadlines[0] = made.now + 3600
    made.look(100.0, has_pulse=True)
    assert made.look(HEARTBEAT) == [made.page]
    assert made.look(1000.0) == [made.page]
    assert made.reason is None


def test_who_has_not_begun_is_left_alone() -> None:
    made = Made()
    made.page.pulse_at = 0.0
    assert made.look(1000.0) == []
    assert made.reason is None


def test_who_does_nothing_without_a_pulse_is_killed_after_the_lease() -> None:
    made = Made()
    made.look(LEASE)
    assert made.reason is None
    made.look(2 * made.watchman.every)
    assert made.reason == "it does nothing, and showed no sign of life for 30 s"


def test_whose_job_should_have_ended_long_ago_is_killed_with_or_without_a_pulse() -> None:
    for has_pulse in (True, False):
        made = Made()
        made.page.deadlines[1] = made.now + 50.0
        made.look(50.0 + SLACK, has_pulse=has_pulse)
        assert made.reason is None
        made.look(made.watchman.every, has_pulse=has_pulse)
        assert made.reason == "a job did not end within 30 s after its max_run_time"


def test_nobody_is_judged_right_after_all_stood_still() -> None:
    made = Made()
    made.page.deadlines[0] = made.now + 1.0
    made.watchman.look([made.place], made.now)
    made.now += BLINK * made.watchman.every + 100.0  # a laptop was closed
    made.look(SLACK - 1.0)
    assert made.reason is None
    made.page.deadlines[0] = 0.0
    made.look(100.0, has_pulse=True)
    assert made.reason is None


def test_who_performs_a_job_in_time_is_live_however_long_that_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 5000.0
    monkeypatch.setattr("backburner.worker.supervision.liveness.monotonic", lambda: now)
    page = Page(1)
    page.progress_at = now - PATIENCE - 1
    liveness = Liveness(page, since=now - 1000, sleep_delay=5)
    assert not liveness.is_live
    page.deadlines[0] = now - SLACK + 1
    assert liveness.is_live
    page.deadlines[0] = now - SLACK - 1
    assert not liveness.is_live


def test_who_is_registered_and_in_contact_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 5000.0
    monkeypatch.setattr("backburner.worker.supervision.liveness.monotonic", lambda: now)
    page = Page(1)
    liveness = Liveness(page, since=now, sleep_delay=20)
    page.contact_at = now - 59
    assert not liveness.is_ready
    page.worker = 7
    assert liveness.is_ready
    page.is_leaving = 1
    assert not liveness.is_ready
    page.is_leaving, page.contact_at = 0, now - 61
    assert not liveness.is_ready


def test_memory_cannot_be_shared_by_processes() -> None:
    with Backburner("memory://") as app, pytest.raises(ConfigurationError, match="expected a store that several proc"):
        supervise(app, [Pool()])


def test_a_supervisor_works_where_signals_come(tmp_path: Path) -> None:
    raised: list[BaseException] = []

    def run() -> None:
        try:
            supervise(app, [Pool()])
        except ConfigurationError as error:
            raised.append(error)

    with Backburner(f"sqlite:///{tmp_path}/jobs.db") as app:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    assert "expected the supervisor to run in the main thread" in str(raised[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_jobs": 0}, "expected a whole number of jobs from 1 on, got 0"),
        ({"max_memory": "1GB"}, "expected a whole number of bytes of memory from 1 on, got '1GB'"),
        ({"concurrency": 0}, "concurrency: expected a whole number from 1 on, got 0"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_started(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with Backburner(f"sqlite:///{tmp_path}/jobs.db") as app, pytest.raises(ConfigurationError) as raised:
        supervise(app, [Pool()], **options)
    assert str(raised.value) == message


PROGRAM = """\
import sys
from backburner import Backburner, bulk
from backburner.app import use
from backburner.worker.supervision import Pool, supervise
from tests.worker.supervision import jobs

with Backburner(sys.argv[1], allow=["tests"]) as app, use(app):
    with bulk():
        for number in range(30):
            jobs.note.options(queue="mail").delay(sys.argv[2], str(number))
    code = supervise(app, [Pool(2, ("mail",)), Pool()], max_jobs=10, concurrency=2, exit_on_complete=True)
    print(code, app.jobs.count(state="succeeded"), app.workers())
"""


def test_a_program_may_supervise(tmp_path: Path) -> None:
    url, notes = f"sqlite:///{tmp_path}/jobs.db", tmp_path / "notes"
    command = [sys.executable, "-c", PROGRAM, url, str(notes)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)
    assert (ended.returncode, ended.stdout) == (0, "0 30 []\n"), ended.stderr
    assert len(notes.read_text().splitlines()) == 30
