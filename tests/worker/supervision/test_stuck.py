"""Processes that show no sign of life: they keep their jobs as long as those may run, and are killed after that."""

from __future__ import annotations

import signal
from datetime import timedelta

import pytest

from backburner import Backburner, State
from tests.worker.supervision import jobs
from tests.worker.supervision.conftest import Supervise
from tests.worker.supervision.support import Hold, is_alive, kill, until, worker_pids

pytestmark = pytest.mark.slow  # leases have to end, or not

LEASE = 1.5
SHORT = {"lease": LEASE, "heartbeat": 0.3, "sleep_delay": 0.2}
LONG = timedelta(seconds=3 * LEASE)


def beat_for(app: Backburner, pid: int) -> timedelta:
    """Return how long after its start a worker was last heard of."""
    for worker in app.workers():
        if worker.pid == pid and worker.started_at and worker.beat_at:
            return worker.beat_at - worker.started_at
    return timedelta(0)


def test_a_job_that_keeps_python_from_running_keeps_its_lease(
    app: Backburner, supervise: Supervise, hold: Hold
) -> None:
    job = jobs.hold_python.delay(hold.started, hold.release)
    with supervise("--processes", "2", **SHORT) as supervisor:
        pid = hold.pid()
        until(lambda: beat_for(app, pid) > LONG, "the supervisor beats for it")
        hold.let_go()
        until(lambda: app.jobs.get(job.id).state is State.SUCCEEDED, "it succeeds")
        assert pid in worker_pids(supervisor, 2)
        assert (app.jobs.get(job.id).crashes, app.jobs.get(job.id).attempts) == (0, 0)
        assert is_alive(pid)


def test_a_process_that_stands_still_keeps_its_job(app: Backburner, supervise: Supervise, hold: Hold) -> None:
    job = jobs.hold.delay(hold.started, hold.release)
    with supervise("--processes", "2", **SHORT):
        pid = hold.pid()
        kill(pid, signal.SIGSTOP)
        until(lambda: beat_for(app, pid) > LONG, "the supervisor beats for it")
        kill(pid, signal.SIGCONT)
        hold.let_go()
        until(lambda: app.jobs.get(job.id).state is State.SUCCEEDED, "it succeeds")
        assert app.jobs.get(job.id).crashes == 0


def test_a_process_that_stands_still_and_does_nothing_is_replaced(app: Backburner, supervise: Supervise) -> None:
    with supervise("--processes", "2", **SHORT) as supervisor:
        until(lambda: len(app.workers()) == 2, "both are registered")
        victim = worker_pids(supervisor, 2)[0]
        kill(victim, signal.SIGSTOP)
        supervisor.wait_for(f'process killed pid={victim} pool=*:2 reason="it does nothing, and showed no sign of life')
        supervisor.wait_for("process started")
        assert not is_alive(victim)
        until(lambda: victim not in [worker.pid for worker in app.workers()], "it is buried")


def test_a_job_that_does_not_end_when_its_time_is_over_ends_with_its_process(
    app: Backburner, supervise: Supervise, hold: Hold
) -> None:
    job = jobs.hold_deaf.options(max_run_time=0.1).delay(hold.started, hold.release)
    with supervise("--processes", "1", slack=0.5, **SHORT) as supervisor:
        for crashes in (1, 2, 3):
            pid = hold.pid()
            supervisor.wait_for(f'process killed pid={pid} pool=*:1 reason="a job did not end within')
            until(lambda expected=crashes: app.jobs.get(job.id).crashes >= expected, "the crash is counted")
        assert app.jobs.get(job.id).state is State.FAILED
