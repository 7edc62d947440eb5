"""What a worker asks again and again: beating, rescuing, and hearing of work."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from backburner import Backburner, State, StoreUnavailable
from backburner.core.ports import ClaimRequest, WorkerInfo
from backburner.core.telemetry import JobRescued, StoreTroubled, recorded
from backburner.worker.claimer import Claimer
from backburner.worker.pulse import Chore, Pulse
from backburner.worker.upkeep import prune, rounds
from backburner.worker.upkeep.rounds import Rounds
from tests.worker.faulty import Faulty
from tests.worker.jobs import note, trace

SOON = 30.0


@dataclass
class Setting:
    """A worker that makes rounds, on clocks that a test sets."""

    app: Backburner
    sleep_delay: float = 60.0
    clock: Any = None

    def __post_init__(self) -> None:
        self.wakes = 0
        self.claimer = claimer_of(self.app, "ann")
        self.rounds = Rounds(self.claimer, self.app.parts, "ann", self.sleep_delay, self.wake)

    def wake(self) -> None:
        self.wakes += 1

    def make_rounds(self, seconds: float) -> list[datetime | None]:
        """Make rounds for so long; return when the worker was last heard of after each."""
        beats = []
        for _ in range(round(seconds / self.rounds.every)):
            self.clock.seconds += self.rounds.every
            self.rounds.make()
            (info,) = [info for info in self.app.store.run(self.app.store.workers()) if info.name == "ann"]
            beats.append(info.beat_at)
        return beats


def claimer_of(app: Backburner, name: str) -> Claimer:
    info = WorkerInfo(name, "host", 1, None, 1)
    return Claimer(app.store, info, ClaimRequest(lease=0, worker_name="", limit=0), app.telemetry, lambda: None)


@pytest.fixture
def setting(app: Backburner, monkeypatch: pytest.MonkeyPatch) -> Setting:
    # The time of the rounds alone stands still: what else is called time goes on.
    clock = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(rounds, "time", SimpleNamespace(monotonic=lambda: clock.seconds))
    return Setting(app, clock=clock)


@pytest.mark.parametrize(
    ("heartbeat", "sleep_delay", "every"),
    [(10, 5, 5.0), (10, 60, 5.0), (10, 0.5, 0.5), (2, 5, 2.0), (10, 0, 0.01)],
)
def test_rounds_are_made_as_often_as_the_hastiest_of_their_aims_wants(
    heartbeat: float, sleep_delay: float, every: float
) -> None:
    with Backburner("memory://", heartbeat=heartbeat) as app:
        assert Setting(app, sleep_delay).rounds.every == every


def test_every_second_round_beats(setting: Setting) -> None:
    setting.claimer.claim(1)
    beats = setting.make_rounds(30)
    assert len(beats) == 6
    assert len(set(beats)) == 4  # as it was registered, and three beats
    assert [beats[index] == beats[index - 1] for index in range(1, 6)] == [False, True, False, True, False]


def test_a_beat_that_failed_is_made_up_for(app: Backburner, setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    setting.claimer.claim(1)
    faulty = Faulty(app.store, monkeypatch)
    (before,) = setting.make_rounds(5)
    faulty.lose_request("check_in")
    setting.clock.seconds += 5
    with pytest.raises(StoreUnavailable):
        setting.rounds.make()
    assert setting.wakes == 1, "the worker finds out as well"
    assert setting.claimer.is_promising
    (after,) = setting.make_rounds(5)
    assert after != before


def test_the_worker_is_woken_for_work_that_nobody_told_of(app: Backburner, setting: Setting) -> None:
    setting.claimer.claim(1)
    setting.make_rounds(10)
    assert setting.wakes == 0
    app.delay(note)("x")
    setting.make_rounds(5)
    assert setting.wakes == 1
    assert setting.claimer.claim(1) == 1


def test_jobs_of_a_worker_that_is_not_heard_of_are_rescued(app: Backburner, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = app.delay(note)("x")
    claimer_of(app, "bob").claim(1)
    setting = Setting(app)
    with recorded(app.telemetry) as records:
        setting.rounds.make()
        assert app.jobs.get(lost.id).state is State.RUNNING
        let_a_lease_pass(app, monkeypatch)
        setting.rounds.make()
    assert app.jobs.get(lost.id).state is State.QUEUED
    assert [record.job.id for record in records if isinstance(record, JobRescued)] == [lost.id]


def let_a_lease_pass(app: Backburner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let more time pass by the store's clock than a lease lasts."""
    later = datetime.now(UTC) + timedelta(seconds=31)
    monkeypatch.setattr(app.store, "_clock", lambda: later)


def test_an_idle_worker_asks_one_question_in_five_seconds(app: Backburner, setting: Setting) -> None:
    setting.claimer.claim(1)
    asked: list[Any] = []
    run = app.store.run
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app.store, "run", lambda op, connection=None: asked.append(op) or run(op, connection))
        for _ in range(6):
            setting.clock.seconds += 5
            setting.rounds.make()
    assert len(asked) == 6


def test_an_idle_worker_does_not_claim_again_and_again(app: Backburner, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, or hears of it when it checks in."""
    faulty = Faulty(app.store, monkeypatch)
    app.delay(note)("first")
    worker = app.worker(sleep_delay=0.01)
    rounds_made = threading.Event()
    app.before("loop")(lambda worker: rounds_made.set() if faulty.counts["check_in"] > 20 else None)
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert rounds_made.wait(SOON)
    claims = faulty.counts["claim"]
    app.store.run(app.store.enqueue([hidden_job(app)]))
    deadline = time.monotonic() + SOON
    while len(trace) < 2 and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    worker.stop()
    thread.join(SOON)
    assert trace == ["first", "unheard of"]
    assert claims <= 4


def hidden_job(app: Backburner) -> Any:
    """Return a job that is not stored yet, and of which nobody will be told."""
    template = app.delay(note, run_at=3600)("unheard of")
    app.jobs.delete(template.id)
    template.run_at = template.created_at
    return template


def test_history_that_is_kept_for_long_is_looked_at_less_often() -> None:
    assert prune.pause_after(500, timedelta(days=1)) == prune.EVERY
    assert prune.pause_after(0, timedelta(days=1)) == prune.LONGEST_PAUSE
    assert prune.pause_after(0, timedelta(minutes=50)) == 300.0
    assert prune.pause_after(0, timedelta(0)) == prune.EVERY


def test_a_chore_that_fails_again_and_again_is_told_once() -> None:
    outcomes = iter([True, True, False, True, False, False])
    told: list[str] = []
    done = threading.Event()

    def do() -> None:
        try:
            fails = next(outcomes)
        except StopIteration:
            done.set()
            return
        if fails:
            raise StoreUnavailable("away")

    pulse = Pulse([Chore("asking", do, every=0.001)], lambda doing, error: told.append(f"{doing}: {error}"))
    assert done.wait(SOON)
    pulse.close()
    assert told == ["asking: away"] * 2


def test_a_worker_says_that_checking_in_fails(app: Backburner, monkeypatch: pytest.MonkeyPatch) -> None:
    faulty = Faulty(app.store, monkeypatch)
    faulty.lose_request("check_in", 3)
    worker = app.worker(sleep_delay=0.01)
    app.before("loop")(lambda worker: worker.stop() if faulty.counts["check_in"] > 4 else None)
    with recorded(app.telemetry) as records:
        worker.run()
    assert [record.doing for record in records if isinstance(record, StoreTroubled)] == ["checking in"]
