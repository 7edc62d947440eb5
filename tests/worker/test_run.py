"""`run()`: waking, stopping, and what a killed or paused worker leaves behind."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from backburner import Backburner, JobInterrupted, State, job
from backburner.core.telemetry import JobRescued, LeasesLost, WorkerStopped, recorded
from tests.worker.jobs import note, trace
from tests.worker.processes import append, pipe, spin_after, wait_for, wait_for_log, worker_process

SOON = 30.0
ended = threading.Event()


@job
def finish() -> None:
    ended.set()


class Running:
    """A worker that runs in another thread of the test."""

    def __init__(self, app: Backburner, **options: float) -> None:
        ended.clear()
        self.worker = app.worker(**options)
        self.thread = threading.Thread(target=self.worker.run)
        self.idle = threading.Event()
        app.after("loop")(lambda worker: self.idle.set())

    def __enter__(self) -> Running:
        self.thread.start()
        assert self.idle.wait(SOON)
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.stop()
        self.thread.join(SOON)
        assert not self.thread.is_alive()


@pytest.mark.parametrize("concurrency", [1, 3])
def test_an_idle_worker_is_woken_by_a_new_job(app: Backburner, concurrency: int) -> None:
    with Running(app, concurrency=concurrency, sleep_delay=SOON):
        app.delay(finish)()
        assert ended.wait(SOON / 2)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_an_idle_worker_wakes_when_a_job_becomes_due(app: Backburner, concurrency: int) -> None:
    with Running(app, concurrency=concurrency, sleep_delay=SOON):
        app.delay(finish, run_at=0.3)()
        assert ended.wait(SOON / 2)


def test_a_worker_that_was_stopped_before_it_ran_ends_at_once_and_can_run_again(app: Backburner) -> None:
    worker = app.worker()
    worker.stop()
    app.delay(note)("later")
    worker.run()
    assert trace == []
    worker.run(exit_on_complete=True)
    assert trace == ["later"]


def test_exit_on_complete_ends_when_nothing_is_ready(app: Backburner) -> None:
    for number in range(5):
        app.delay(note)(str(number))
    app.delay(note, run_at=SOON)("much later")
    with recorded(app.telemetry) as records:
        app.worker(concurrency=2).run(exit_on_complete=True)
    assert sorted(trace) == ["0", "1", "2", "3", "4"]
    stopped = [record for record in records if isinstance(record, WorkerStopped)]
    assert [(record.successes, record.failures) for record in stopped] == [(5, 0)]


def test_execute_and_loop_events_surround_the_work(app: Backburner) -> None:
    seen: list[str] = []
    app.before("execute")(lambda worker: seen.append(f"execute {worker.name}"))
    app.after("execute")(lambda worker: seen.append("executed"))
    app.before("loop")(lambda worker: seen.append("loop"))
    app.delay(note)("x")
    app.worker(name="me").run(exit_on_complete=True)
    assert (seen[0], seen[-1]) == ("execute me", "executed")
    assert "loop" in seen


def test_jobs_of_threads_run_at_the_same_time(app: Backburner) -> None:
    for _ in range(3):
        app.delay(meet)()
    assert app.worker(concurrency=3).work_off() == (3, 0)


meeting = threading.Barrier(3)


@job
def meet() -> None:
    meeting.wait(SOON)


def test_what_waits_behind_a_long_job_is_given_back_to_others(app: Backburner) -> None:
    for number in range(20):
        app.delay(note)(str(number))
    app.delay(hold)()
    for number in range(20):
        app.delay(note)(f"behind {number}")
    holding.clear()
    held.clear()
    with Running(app):
        assert holding.wait(SOON)
        deadline = time.monotonic() + SOON
        while app.worker().work_off() != (0, 0) or len(trace) < 40:
            assert time.monotonic() < deadline, trace
        held.set()
    assert sorted(trace) == sorted([*map(str, range(20)), *(f"behind {number}" for number in range(20))])
    assert app.jobs.count() == 0


holding, held = threading.Event(), threading.Event()


@job
def hold() -> None:
    holding.set()
    held.wait(SOON)


def test_work_off_waits_for_what_its_threads_still_perform(app: Backburner, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often there is nothing more to hear of meanwhile."""
    check_in, rounds = app.store.check_in, 0

    def counted(*arguments: Any) -> Any:
        nonlocal rounds
        rounds += 1
        if rounds == 5:
            held.set()
        return check_in(*arguments)

    monkeypatch.setattr(app.store, "check_in", counted)
    held.clear()
    job = app.delay(hold)()
    assert app.worker(concurrency=2, sleep_delay=0.01).work_off() == (1, 0)
    assert app.jobs.get(job.id).state is State.SUCCEEDED


def test_a_stopping_worker_whose_next_job_is_due_does_not_spin(
    app: Backburner, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    watch = app.store.watch()
    wait = watch.wait

    def noted(timeout: float) -> bool:
        if worker.must_stop():
            waits.append(timeout)
        return wait(timeout)

    monkeypatch.setattr(watch, "wait", noted)
    monkeypatch.setattr(app.store, "watch", lambda: watch)
    holding.clear()
    held.clear()
    app.delay(hold)()
    due = app.delay(note, run_at=0.05)("not performed any more")
    worker = app.worker(concurrency=2, grace=SOON)
    app.before("perform")(lambda worker, job: worker.stop())
    released = threading.Timer(0.3, held.set)
    released.start()
    worker.run()
    assert app.jobs.get(due.id).state is State.QUEUED
    assert waits
    assert len(waits) < 50


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_running_job_finish(file_app: Backburner, tmp_path: Path, number: signal.Signals) -> None:
    started, release = pipe(tmp_path, "started"), tmp_path / "release"
    running = file_app.delay(wait_for)(started, str(release))
    waiting = file_app.delay(append)(str(tmp_path / "out"), "not performed any more")
    with worker_process(file_app.store.url) as process:
        Path(started).read_text()
        process.send_signal(number)
        wait_for_log(process, number.name)
        release.touch()
        assert process.wait(SOON) == 0
    assert file_app.jobs.get(running.id).state is State.SUCCEEDED
    assert file_app.jobs.get(waiting.id).state is State.QUEUED


@pytest.mark.parametrize("concurrency", [1, 2])
def test_after_the_grace_a_running_job_is_given_back(file_app: Backburner, tmp_path: Path, concurrency: int) -> None:
    started = pipe(tmp_path, "started")
    running = file_app.delay(spin_after)(started)
    with worker_process(file_app.store.url, grace=0.2, concurrency=concurrency) as process:
        Path(started).read_text()
        process.terminate()
        assert process.wait(SOON) == 0
    back = file_app.jobs.get(running.id)
    assert (back.state, back.attempts, back.crashes, back.locked_by) == (State.QUEUED, 0, 0, None)


def test_a_second_signal_interrupts_at_once(file_app: Backburner, tmp_path: Path) -> None:
    started = pipe(tmp_path, "started")
    running = file_app.delay(spin_after)(started)
    with worker_process(file_app.store.url, grace=SOON * 10) as process:
        Path(started).read_text()
        process.terminate()
        wait_for_log(process, "SIGTERM")
        process.terminate()
        process.wait(SOON)
    assert file_app.jobs.get(running.id).state is State.QUEUED


SHORT = {"lease": 1.5, "heartbeat": 0.3}


def test_the_job_of_a_killed_worker_comes_back(file_app: Backburner, tmp_path: Path) -> None:
    started, release = pipe(tmp_path, "started"), tmp_path / "release"
    running = file_app.delay(wait_for)(started, str(release))
    with worker_process(file_app.store.url, settings=SHORT) as process:
        Path(started).read_text()
        held = file_app.jobs.get(running.id)
        assert held.state is State.RUNNING
        assert str(process.pid) in (held.locked_by or "")
        process.kill()
    with worker_process(file_app.store.url, settings=SHORT) as second:
        Path(started).read_text()
        release.touch()
        wait_until_settled(file_app, running.id)
        second.terminate()
        assert second.wait(SOON) == 0
    again = file_app.jobs.get(running.id)
    assert (again.state, again.attempts, again.crashes) == (State.SUCCEEDED, 0, 1)


def test_a_paused_worker_that_lost_its_job_can_change_nothing(file_app: Backburner, tmp_path: Path) -> None:
    started, release = pipe(tmp_path, "started"), tmp_path / "release"
    running = file_app.delay(wait_for)(started, str(release))
    with worker_process(file_app.store.url, settings=SHORT) as process:
        Path(started).read_text()
        process.send_signal(signal.SIGSTOP)
        with recorded(file_app.telemetry) as records, Running(file_app, sleep_delay=0.2):
            Path(started).read_text()  # the second performance has begun
            assert any(isinstance(record, JobRescued) for record in records)
            release.touch()
            wait_until_settled(file_app, running.id)
        done = file_app.jobs.get(running.id)
        process.send_signal(signal.SIGCONT)
        wait_for_log(process, "lost")
        process.terminate()
        assert process.wait(SOON) == 0
    assert done.state is State.SUCCEEDED
    assert file_app.jobs.get(running.id) == done
    assert file_app.jobs.count(state="succeeded") == 1


def wait_until_settled(app: Backburner, job_id: object) -> None:
    """Watch the store until the job is done."""
    deadline = time.monotonic() + SOON
    watch = app.store.watch()
    while app.jobs.get(job_id).state in (State.RUNNING, State.QUEUED):  # type: ignore[arg-type]
        assert time.monotonic() < deadline
        watch.wait(0.5)
    watch.close()


def test_an_interrupted_job_may_save_its_place(app: Backburner) -> None:
    job = app.delay(save_place)()
    worker = app.worker(grace=0.1)
    holding.clear()
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert holding.wait(SOON)
    worker.stop()
    thread.join(SOON)
    assert trace == ["saved"]
    assert (app.jobs.get(job.id).state, app.jobs.get(job.id).attempts) == (State.QUEUED, 0)


@job
def save_place() -> None:
    holding.set()
    try:
        while True:
            pass
    except JobInterrupted:
        trace.append("saved")
        raise


@pytest.mark.parametrize("concurrency", [1, 2])
def test_an_interrupt_that_comes_before_the_job_has_begun_is_not_lost(app: Backburner, concurrency: int) -> None:
    app.before("perform")(lambda worker, job: worker.abort(signal.SIGTERM))
    job = app.delay(note)("not performed")
    worker = app.worker(concurrency=concurrency)
    worker.run()
    assert trace == []
    assert worker.aborted_by == signal.SIGTERM
    assert (app.jobs.get(job.id).state, app.jobs.get(job.id).attempts) == (State.QUEUED, 0)


def test_work_off_takes_no_more_jobs_once_it_is_stopped(app: Backburner) -> None:
    for number in range(10):
        app.delay(note)(str(number))
    worker = app.worker()
    app.after("perform")(lambda worker, job: worker.stop())
    assert worker.work_off() == (1, 0)
    assert app.jobs.count() == app.jobs.count(state="queued") == 9


def test_losing_a_lease_is_told_and_the_job_is_performed_again(app: Backburner) -> None:
    job = app.delay(lose_lease)()
    stores.append(app)
    with recorded(app.telemetry) as records:
        app.worker().work_off()
    assert [record.job_ids for record in records if isinstance(record, LeasesLost)] == [(job.id,)]
    assert trace == ["performed", "performed"]
    assert app.jobs.get(job.id).state is State.SUCCEEDED


stores: list[Backburner] = []


@job
def lose_lease() -> None:
    """Let somebody else take this worker for dead, the first time."""
    trace.append("performed")
    if stores:
        store = stores.pop().store
        for worker in store.run(store.workers()):
            store.run(store.retire(worker.number))
