"""A supervisor that is told to stop: its workers finish what they run, and it always comes to an end."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from backburner import Backburner, State
from tests.worker.supervision import jobs
from tests.worker.supervision.conftest import Supervise
from tests.worker.supervision.support import Hold, kill, until, worker_pids


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_running_jobs_may_end(app: Backburner, supervise: Supervise, hold: Hold, number: signal.Signals) -> None:
    job = jobs.hold.delay(hold.started, hold.release)
    with supervise("--processes", "2") as supervisor:
        hold.pid()
        supervisor.send(number)
        supervisor.wait_for(f"supervisor stopping reason={number.name}")
        supervisor.wait_for('worker stopping reason="the supervisor stops"')
        later = jobs.note.delay("nowhere")
        hold.let_go()
        assert supervisor.end().code == 0
    assert app.jobs.get(job.id).state is State.SUCCEEDED
    assert app.jobs.get(later.id).state is State.QUEUED
    assert app.workers() == []


def test_a_signal_for_the_whole_group_aborts_nothing(
    app: Backburner, run: Supervise, hold: Hold, tmp_path: Path
) -> None:
    job = jobs.hold.delay(hold.started, hold.release)
    with run("--processes", "1") as supervisor:
        pids = [hold.pid()]
        for pid in [supervisor.pid, *pids, *pids]:  # as systemd does, or a terminal with Ctrl-C
            kill(pid, signal.SIGTERM)
        until(lambda: any("supervisor stopping" in line for line in supervisor.lines), "the supervisor stops")
        hold.let_go()
        assert supervisor.end().code == 0
    assert app.jobs.get(job.id).state is State.SUCCEEDED


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_second_signal_gives_the_jobs_back(
    app: Backburner, supervise: Supervise, hold: Hold, number: signal.Signals, code: int
) -> None:
    job = jobs.hold.delay(hold.started, hold.release)
    with supervise("--processes", "2") as supervisor:
        hold.pid()
        supervisor.send(number)
        supervisor.wait_for("worker stopping")
        supervisor.send(number)
        supervisor.wait_for("job given back name=hold")
        assert supervisor.end().code == code
    given_back = app.jobs.get(job.id)
    assert (given_back.state, given_back.attempts, given_back.crashes) == (State.QUEUED, 0, 0)
    assert app.workers() == []


def test_when_the_grace_is_over_jobs_are_given_back(app: Backburner, supervise: Supervise, hold: Hold) -> None:
    job = jobs.hold.delay(hold.started, hold.release)
    with supervise("--processes", "1", "--grace", "0") as supervisor:
        hold.pid()
        supervisor.send(signal.SIGTERM)
        assert supervisor.end().code == 0
    assert (app.jobs.get(job.id).state, app.jobs.get(job.id).attempts) == (State.QUEUED, 0)


@pytest.mark.parametrize("options", [[], ["--processes", "1"], ["--concurrency", "2"]])
def test_a_job_that_listens_to_nothing_is_given_back_and_left(
    app: Backburner, run: Supervise, hold: Hold, options: list[str]
) -> None:
    job = jobs.sleep_on.delay(hold.started)
    with run("--grace", "0.2", *options) as worker:
        hold.pid()
        began = time.monotonic()
        worker.send(signal.SIGTERM)
        assert worker.end().code == 0
        print(f"ended after {time.monotonic() - began:.2f} s")
    given_back = app.jobs.get(job.id)
    assert (given_back.state, given_back.attempts, given_back.crashes) == (State.QUEUED, 0, 0)
    assert app.workers() == []


def test_a_job_that_keeps_python_from_running_is_cut_off(app: Backburner, run: Supervise, hold: Hold) -> None:
    jobs.hold_python.delay(hold.started, hold.release)
    with run("--grace", "0.2") as worker:
        hold.pid()
        worker.send(signal.SIGTERM)
        ended = worker.end()
    assert ended.code == 1
    assert " in hold_python\n" in ended.err


def test_a_process_that_cannot_be_told_to_stop_is_killed(app: Backburner, supervise: Supervise, hold: Hold) -> None:
    job = jobs.hold_python.delay(hold.started, hold.release)
    with supervise("--processes", "1", "--grace", "0.2") as supervisor:
        pid = hold.pid()
        supervisor.send(signal.SIGTERM)
        supervisor.wait_for(f'process killed pid={pid} pool=*:1 reason="it did not end in time"')
        assert supervisor.end().code == 0
    assert (app.jobs.get(job.id).state, app.jobs.get(job.id).crashes) == (State.QUEUED, 1)
    assert app.workers() == []


def test_processes_that_wait_to_be_started_again_are_not(app: Backburner, supervise: Supervise) -> None:
    jobs.crash.delay()
    with supervise("--processes", "1") as supervisor:
        supervisor.wait_for("again_in=1.0")
        supervisor.wait_for("again_in=2.0")
        supervisor.send(signal.SIGTERM)
        ended = supervisor.end()
    assert ended.code == 0
    assert ended.err.count("process started") == 2
    assert worker_pids(supervisor, 2)


def test_nobody_is_left_when_the_supervisor_has_stopped(app: Backburner, supervise: Supervise) -> None:
    with supervise("--processes", "3") as supervisor:
        pids = worker_pids(supervisor, 3)
        until(lambda: len(app.workers()) == 3, "all are registered")
        supervisor.send(signal.SIGTERM)
        assert supervisor.end().code == 0
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
