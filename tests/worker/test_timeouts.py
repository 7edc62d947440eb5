"""`max_run_time`: by signal in the main thread, by an asynchronous exception in others."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from backburner import Backburner, JobTimeout, State, job
from backburner.worker import timeouts
from backburner.worker.timeouts import SignalAlarm
from tests.worker.jobs import note, trace

FOREVER = 60.0


def spin(seconds: float = FOREVER) -> None:
    """Keep Python busy: what stands for a job that hangs."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


@job
def hang() -> None:
    spin()


@job
def wait_in_c() -> None:
    threading.Event().wait(FOREVER)


@job
async def hang_async() -> None:
    await asyncio.Event().wait()


@job
def swallow_exceptions() -> None:
    try:
        spin()
    except Exception:
        trace.append("swallowed")


@job
def swallow_everything() -> None:
    try:
        spin()
    except BaseException:
        trace.append("swallowed everything")


@job
def clean_up() -> None:
    try:
        spin()
    except JobTimeout:
        trace.append("cleaned up")
        raise


def _here(app: Backburner) -> tuple[int, int]:
    return app.worker().work_off()


def _in_another_thread(app: Backburner) -> tuple[int, int]:
    counts: list[tuple[int, int]] = []
    thread = threading.Thread(target=lambda: counts.append(app.worker().work_off()))
    thread.start()
    thread.join(FOREVER)
    return counts[0]


def _in_a_pool(app: Backburner) -> tuple[int, int]:
    return app.worker(concurrency=2).work_off()


WAYS = {"main thread": _here, "other thread": _in_another_thread, "thread pool": _in_a_pool}
SLOW = {"python": hang, "asyncio": hang_async, "clean up": clean_up, "except Exception": swallow_exceptions}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
@pytest.mark.parametrize("slow", SLOW.values(), ids=SLOW.keys())
def test_a_job_that_takes_too_long_fails(
    app: Backburner, slow: Callable[[], None], way: Callable[[Backburner], tuple[int, int]]
) -> None:
    late = app.delay(slow, max_run_time=0.2)()
    app.delay(note, priority=1)("next")
    began = time.monotonic()
    assert way(app) == (1, 1)
    assert time.monotonic() - began < FOREVER / 2
    assert "next" in trace
    assert "swallowed" not in trace
    failed = app.jobs.get(late.id)
    assert (failed.state, failed.attempts) == (State.QUEUED, 1)
    assert (failed.last_error or "").startswith("JobTimeout: ran longer than its max_run_time of 0.2 s")


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_a_timeout_that_was_swallowed_is_a_failure_all_the_same(
    app: Backburner, way: Callable[[Backburner], tuple[int, int]]
) -> None:
    late = app.delay(swallow_everything, max_run_time=0.2)()
    assert way(app) == (0, 1)
    assert trace == ["swallowed everything"]
    assert (app.jobs.get(late.id).last_error or "").startswith("JobTimeout")


def test_a_blocking_call_in_the_main_thread_is_interrupted(app: Backburner) -> None:
    late = app.delay(wait_in_c, max_run_time=0.2)()
    assert app.worker().work_off() == (0, 1)
    assert (app.jobs.get(late.id).last_error or "").startswith("JobTimeout")


def test_a_job_may_ask_for_less_but_not_for_more_than_the_app_allows() -> None:
    with Backburner("memory://", allow=["tests"], max_run_time=0.2) as app:
        assert app.delay(hang, max_run_time=timedelta(hours=1))().max_run_time == timedelta(seconds=0.2)
        app.jobs.clear()
        app.delay(hang)()
        assert app.worker().work_off() == (0, 1)


def test_a_timeout_of_one_job_does_not_hit_the_next(app: Backburner) -> None:
    for number in range(20):
        app.delay(hang, max_run_time=0.01)()
        app.delay(note)(str(number))
    assert app.worker().work_off() == (20, 20)
    assert len(trace) == 20


PROFILED = """
import sys, time
from backburner import Backburner, job

@job
def hang():
    try:
        time.sleep(1)
    except BaseException:
        pass

with Backburner("memory://") as app:
    app.delay(hang, max_run_time=0.1)()
    app.worker(concurrency=2).work_off()
sys.setprofile(lambda *_: None)
(lambda: print("goes on"))()
"""


def test_a_timeout_leaves_nothing_behind_that_a_profiler_hangs_on() -> None:
    done = subprocess.run([sys.executable, "-c", PROFILED], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "goes on\n"


@pytest.fixture
def alarm() -> Iterator[SignalAlarm]:
    with SignalAlarm() as alarm:
        yield alarm


def rings_after(alarm: SignalAlarm, seconds: float) -> float:
    """Set an alarm, wait for it, and return how many seconds that took."""
    began = time.monotonic()
    alarm.start(timedelta(seconds=seconds))
    with pytest.raises(JobTimeout):
        spin()
    alarm.stop()
    return time.monotonic() - began


def short_job(alarm: SignalAlarm, limit: float) -> None:
    alarm.start(timedelta(seconds=limit))
    alarm.stop()


@pytest.mark.parametrize("before", [0.05, 0.5, FOREVER], ids=["sooner", "later", "much later"])
def test_a_limit_counts_from_the_begin_of_its_job_whatever_those_before_had(alarm: SignalAlarm, before: float) -> None:
    short_job(alarm, before)
    assert 0.2 <= rings_after(alarm, 0.2) < FOREVER / 2


def test_a_job_that_goes_on_hears_the_alarm_again(alarm: SignalAlarm) -> None:
    short_job(alarm, 0.01)
    alarm.start(timedelta(seconds=0.02))
    rung = 0
    while rung < 2:
        try:
            spin()
        except JobTimeout:
            rung += 1
    alarm.stop()
    assert alarm.has_rung


def test_the_timer_is_not_set_for_each_job(alarm: SignalAlarm, monkeypatch: pytest.MonkeyPatch) -> None:
    times_set: list[float] = []
    monkeypatch.setattr(signal, "setitimer", lambda _, seconds: times_set.append(seconds))
    monkeypatch.setattr(timeouts, "GOOD_FOR", FOREVER)
    for _ in range(100):
        short_job(alarm, FOREVER)
    assert len(times_set) == 1


def test_a_job_that_takes_the_timer_away_keeps_it_but_for_a_moment(
    alarm: SignalAlarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "GOOD_FOR", 0.0)
    alarm.start(timedelta(seconds=0.2))
    signal.setitimer(signal.ITIMER_REAL, 0)
    alarm.stop()
    assert 0.2 <= rings_after(alarm, 0.2) < FOREVER / 2
